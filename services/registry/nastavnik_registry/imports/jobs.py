"""Imports: taken in, queued, run one at a time per source, beside the service.

The state of a job is its row; the package is a file beside the database. A job cut short by a crash
is run again from the start, which is safe: it is applied in one transaction with its own end.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
from fastapi import Request, Response
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock, db, idempotency, logs
from nastavnik_common.writing import Reply
from nastavnik_registry import aggregates, tables
from nastavnik_registry.imports import upload
from nastavnik_registry.imports.worker import Workers
from nastavnik_registry.queries import imports as queries
from nastavnik_registry.settings import RegistrySettings
from nastavnik_registry.tables import ImportJob

log = logs.logger(__name__)
OPEN = ("queued", "checking", "applying")
_PARALLEL = 2
_SWEEP_SECONDS = 1.0
_PAUSE_SECONDS = 2.0


class Jobs:
    def __init__(self, settings: RegistrySettings, sessions: db.Sessions) -> None:
        self._settings = settings
        self._sessions = sessions
        self._wake = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._workers = Workers(settings)

    def path(self, ident: UUID) -> Path:
        return package_path(self._settings, ident)

    async def accept(self, request: Request, source: str, under: UUID | None) -> Response:
        """Store the package and queue its import. An Idempotency-Key covers the bytes too."""
        key = request.headers.get(idempotency.HEADER)
        if key is not None:
            idempotency.check_key(key)
        ident = uuid4()
        path = self.path(ident)
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
                reply = await self._queue(tx, ident, source, under, received.size)
                if key is not None:
                    await _remember(tx, key, mark, reply)
            queued = True
        finally:
            if not queued:
                await asyncio.to_thread(path.unlink, missing_ok=True)
        self._wake.set()
        return _response(reply)

    async def _queue(
        self, tx: AsyncSession, ident: UUID, source: str, under: UUID | None, size: int
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
        )
        tx.add(row)
        await tx.flush()
        await tx.refresh(row)
        return Reply(queries.body(row), 202, location=f"/imports/{ident}")

    async def run(self) -> None:
        """Work until cancelled. What runs then is cut short, and run again at the next start."""
        try:
            while True:
                try:
                    await self._start_pending()
                except Exception as error:
                    log.warning("imports wait for the database", error=type(error).__name__)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _SWEEP_SECONDS)
                self._wake.clear()
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)
            await self.close()

    async def drain(self) -> None:
        """Run all that is queued, and return."""
        while await self._start_pending():
            await asyncio.gather(*self._running.values())

    async def close(self) -> None:
        await self._workers.stop()

    async def _start_pending(self) -> bool:
        self._running = {s: task for s, task in self._running.items() if not task.done()}
        query = select(col(ImportJob.source)).where(col(ImportJob.status).in_(OPEN)).distinct()
        async with self._sessions() as tx:
            sources = list((await tx.execute(query)).scalars())
        for source in sources:
            if source not in self._running and len(self._running) < _PARALLEL:
                self._running[source] = asyncio.create_task(self._work(source))
        return bool(sources)

    async def _work(self, source: str) -> None:
        """Run the source's jobs in order, unless another replica does so."""
        try:
            connection = await db.connect(self._settings.database_url)
            try:
                lock = "select pg_try_advisory_lock(hashtextextended($1, 13))"
                if not await connection.fetchval(lock, source):
                    await asyncio.sleep(_PAUSE_SECONDS)
                    return
                while (ident := await self._next(source)) is not None:
                    await self._run_one(ident)
            finally:
                await connection.close(timeout=2)
        except Exception as error:
            log.warning("import interrupted", source=source, error=type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _next(self, source: str) -> UUID | None:
        query = (
            select(col(ImportJob.id))
            .where(col(ImportJob.source) == source, col(ImportJob.status).in_(OPEN))
            .order_by(col(ImportJob.created_at), col(ImportJob.id))
            .limit(1)
        )
        async with self._sessions() as tx:
            return (await tx.execute(query)).scalar_one_or_none()

    async def _run_one(self, ident: UUID) -> None:
        attempts = await self._count_attempt(ident, 1)
        if not self.path(ident).exists():
            await self._fail(ident, "import.file_missing")
            return
        if attempts > self._settings.import_attempts:
            await self._fail(ident, "import.attempts_exhausted")
            return
        try:
            ended = await self._workers.run(ident)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await self._count_attempt(ident, -1)
            raise
        if ended:
            await asyncio.to_thread(self.path(ident).unlink, missing_ok=True)
        else:
            log.warning("import cut short", import_id=str(ident))
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _count_attempt(self, ident: UUID, by: int) -> int:
        statement = (
            update(ImportJob)
            .where(col(ImportJob.id) == ident)
            .values(attempts=col(ImportJob.attempts) + by)
            .returning(col(ImportJob.attempts))
        )
        async with self._sessions.begin() as tx:
            return int((await tx.execute(statement)).scalar_one())

    async def _fail(self, ident: UUID, code: str) -> None:
        async with self._sessions.begin() as tx:
            await finish(tx, ident, status="failed", error=code)
        await asyncio.to_thread(self.path(ident).unlink, missing_ok=True)


def package_path(settings: RegistrySettings, ident: UUID) -> Path:
    return settings.import_dir / "imports" / f"{ident}.zip"


def _folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


async def finish(tx: AsyncSession, ident: UUID, *, status: str, **values: Any) -> bool:
    """End an open job. False: somebody else has ended it already."""
    statement = (
        update(ImportJob)
        .where(col(ImportJob.id) == ident, col(ImportJob.status).in_(OPEN))
        .values(status=status, phase=status, finished_at=clock.now(), **values)
        .returning(col(ImportJob.id))
    )
    return (await tx.execute(statement)).scalar_one_or_none() is not None


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
