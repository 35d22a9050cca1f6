"""Packages taken in and queued."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db, idempotency
from nastavnik_common.auth_scope import caller
from nastavnik_common.writing import Reply
from nastavnik_registry import aggregates, tables
from nastavnik_registry.aggregates.imports import job_body
from nastavnik_registry.imports import upload
from nastavnik_registry.imports.jobs import package_path
from nastavnik_registry.settings import RegistrySettings
from nastavnik_registry.tables import ImportJob


class Intake:
    """`wake` is called when a job has been queued."""

    def __init__(
        self, settings: RegistrySettings, sessions: db.Sessions, wake: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._wake = wake

    async def accept(
        self, request: Request, source: str, under: UUID | None, *, dry_run: bool = False
    ) -> Response:
        """Store the package and queue its import. An Idempotency-Key covers the bytes too."""
        key = request.headers.get(idempotency.HEADER)
        if key is not None:
            key = idempotency.own_key(key)
        ident = uuid4()
        path = package_path(self._settings, ident)
        await asyncio.to_thread(_folder, path.parent)
        received = await upload.receive(request, path, self._settings.import_max_bytes)
        place = f"{request.url.path}?{request.url.query}"
        mark = idempotency.fingerprint(request.method, place, received.digest)
        queued = False
        try:
            async with self._sessions.begin() as tx:
                first = key and await idempotency.recall(tx, tables.idempotency, key, mark)
                if first:
                    return _repeat(first)
                reply = await self._queue(tx, ident, source, under, received.size, dry_run)
                if key is not None:
                    await _remember(tx, key, mark, reply)
            queued = True
        finally:
            if not queued:
                await asyncio.to_thread(path.unlink, missing_ok=True)
        self._wake()
        return _response(reply)

    async def _queue(
        self,
        tx: AsyncSession,
        ident: UUID,
        source: str,
        under: UUID | None,
        size: int,
        dry_run: bool = False,
    ) -> Reply:
        if under is not None:
            await aggregates.check_organizations(tx, [under])
        row = ImportJob(
            id=ident,
            source=source,
            under=under,
            size_bytes=size,
            status="queued",
            phase="queued",
            done=0,
            total=0,
            dry_run=dry_run,
            created_by=caller(),
        )
        tx.add(row)
        await tx.flush()
        await tx.refresh(row)
        return Reply(job_body(row), 202, location=f"/imports/{ident}")


def _folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


async def _remember(tx: AsyncSession, key: str, mark: bytes, reply: Reply) -> None:
    headers = msgspec.json.encode(reply.headers()).decode()
    body = reply.body.model_dump_json().encode()
    await idempotency.remember(tx, tables.idempotency, key, mark, reply.status, headers, body)


def _repeat(first: Any) -> Response:
    headers = msgspec.json.decode(first.headers)
    return Response(first.body, first.status, headers, media_type="application/json")


def _response(reply: Reply) -> Response:
    return Response(
        reply.body.model_dump_json(), reply.status, reply.headers(), media_type="application/json"
    )
