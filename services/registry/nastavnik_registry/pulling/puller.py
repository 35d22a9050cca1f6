"""One source's turn: begin, read, hand over, and settle when its imports have ended.

Every step is in the source's row before the next begins, and only the holder of the source's
advisory lock takes steps: whoever comes after a crash, here or on another replica, goes on. The
watermark moves when the imports have been applied, never before.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock, db, logs
from nastavnik_registry.imports.jobs import package_path
from nastavnik_registry.pulling import packing
from nastavnik_registry.pulling.config import PullSource
from nastavnik_registry.pulling.ended import ended_roles
from nastavnik_registry.pulling.errors import PullError
from nastavnik_registry.pulling.provider import Provider
from nastavnik_registry.pulling.reading import Reader
from nastavnik_registry.pulling.spool import Spool
from nastavnik_registry.settings import RegistrySettings
from nastavnik_registry.tables import ImportJob, PullRow

log = logs.logger(__name__)
_ENDED = ("completed", "rejected", "failed", "discarded")
_STALE = timedelta(days=1)  # a pull that has been cut short for longer begins anew


class Puller:
    """`wake` is called when an import has been queued."""

    def __init__(
        self,
        settings: RegistrySettings,
        sessions: db.Sessions,
        wake: Callable[[], None],
        name: str,
        source: PullSource,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings, self._sessions, self._wake = settings, sessions, wake
        self._name, self._source, self._transport = name, source, transport

    async def turn(self) -> None:
        """Do what is due, unless another replica does."""
        connection = await db.connect(
            self._settings.database_url, self._settings.database_timeout_seconds
        )
        try:
            lock = "select pg_try_advisory_lock(hashtextextended($1, 19))"
            if await connection.fetchval(lock, self._name):
                await self._locked_turn()
        finally:
            await connection.close(timeout=2)

    async def _locked_turn(self) -> None:
        async with self._sessions.begin() as tx:
            row = await locked(tx, self._name)
            if row.phase == "importing":
                await self._settle(tx, row)
            if row.phase == "importing" or row.due_at > clock.now():
                return
            if row.phase == "idle" or (row.started_at or clock.now()) < clock.now() - _STALE:
                self._begin(row)
        try:
            await self._pull(row)
        except PullError as error:
            log.warning("pull stopped", source=self._name, code=error.code)
            await self._failed(error.code)

    def _begin(self, row: Any) -> None:
        now = clock.now()
        last = now - timedelta(seconds=self._source.full_every_seconds)
        full = row.wanted == "full" or row.full_at is None or row.full_at <= last
        row.since = None if full else row.watermark - self._source.overlap
        row.phase, row.run, row.wanted = "reading", uuid4(), None
        row.started_at, row.imports, row.done, row.total = now, [], 0, None

    async def _pull(self, row: PullRow) -> None:
        assert row.run is not None
        place = self._settings.import_dir / "pulls" / self._name
        spool = await asyncio.to_thread(Spool, place.with_suffix(".spool"), row.run)
        try:
            async with Provider(self._source, self._transport) as provider:
                await Reader(self._source, provider, spool, row.since, self._told).read()
            await self._hand_over(row, spool, place)
        except BaseException:
            spool.close()
            raise
        spool.remove()

    async def _told(self, collection: str, done: int, total: int | None) -> None:
        async with self._sessions.begin() as tx:
            row = await locked(tx, self._name)
            row.collection, row.done, row.total = collection, done, total

    async def _hand_over(self, row: PullRow, spool: Spool, place: Path) -> None:
        """Queue the packages, and say so in the same transaction."""
        packages = await self._packages(row, spool, place)
        if row.since is None and not packages:
            spool.remove()  # to be read anew
            raise PullError("pull.empty")
        async with self._sessions.begin() as tx:
            fresh = await locked(tx, self._name)
            now = clock.now()
            order = [now + timedelta(microseconds=at) for at in range(len(packages))]
            queued = [await self._queue(tx, *one) for one in zip(packages, order, strict=True)]
            fresh.imports = [str(ident) for ident in queued]
            fresh.phase, fresh.run, fresh.read_at = "importing", None, spool.state.at
            fresh.collection = ""
            if not packages:
                await self._settle(tx, fresh)
        self._wake()

    async def _packages(self, row: PullRow, spool: Spool, place: Path) -> list[Path]:
        first, second = place.with_suffix(".1.zip"), place.with_suffix(".2.zip")
        at = spool.state.at or clock.now()
        if row.since is None:
            made = [
                (first, await asyncio.to_thread(packing.bulk, spool, first)),
                (second, await asyncio.to_thread(packing.gone, spool, second, at)),
            ]
        else:
            async with self._sessions() as tx:
                ended = [cells async for cells in ended_roles(tx, self._name, spool, at)]
            made = [(first, await asyncio.to_thread(packing.changes, spool, first, at, ended))]
        return [path for path, there in made if there]

    async def _queue(self, tx: AsyncSession, package: Path, at: datetime) -> UUID:
        """Imports of a source run in the order of `at`. The file is moved before the commit:
        without one it is swept, and pulled again."""
        ident = uuid4()
        path = package_path(self._settings, ident)
        size = await asyncio.to_thread(_move, package, path)
        job = ImportJob(
            id=ident,
            source=self._name,
            under=self._source.under,
            size_bytes=size,
            status="queued",
            phase="queued",
            done=0,
            total=0,
            created_at=at,
        )
        tx.add(job)
        await tx.flush()
        return ident

    async def _settle(self, tx: AsyncSession, row: PullRow) -> None:
        """Wait for the imports, one held for a confirmation too; then move the watermark, or pull
        everything next time."""
        ids = [UUID(ident) for ident in row.imports]
        query = select(col(ImportJob.status)).where(col(ImportJob.id).in_(ids))
        statuses = list((await tx.execute(query)).scalars())
        if any(status not in _ENDED for status in statuses):
            return
        now = clock.now()
        if all(status == "completed" for status in statuses) and len(statuses) == len(ids):
            row.watermark, row.error, row.failures = row.read_at, None, 0
            row.full_at = row.read_at if row.since is None else row.full_at
        else:
            row.error, row.failures, row.wanted = "pull.import_rejected", row.failures + 1, "full"
        row.phase, row.finished_at = "idle", now
        began = row.started_at or now
        row.due_at = max(row.due_at, began + timedelta(seconds=self._source.interval_seconds))

    async def _failed(self, code: str) -> None:
        """Try again later; what was read is kept."""
        async with self._sessions.begin() as tx:
            row = await locked(tx, self._name)
            row.error, row.failures = code, row.failures + 1
            wait = min(self._source.interval_seconds, 30 * 2 ** min(row.failures, 10))
            row.due_at = clock.now() + timedelta(seconds=wait)


def _move(package: Path, path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return package.rename(path).stat().st_size


async def locked(tx: AsyncSession, name: str) -> Any:
    await tx.execute(_FIRST, {"source": name})
    query = select(PullRow).where(col(PullRow.source) == name).with_for_update()
    return (await tx.execute(query)).scalar_one()


_FIRST = sql(
    "insert into pull (source, phase, collection, done, imports, failures)"
    " values (:source, 'idle', '', 0, '[]', 0) on conflict do nothing"
)
