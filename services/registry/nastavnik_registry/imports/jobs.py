"""Queued imports, run one at a time per source, beside the service.

The state of a job is its row; the package is a file beside the database. A job cut short by a crash
is run again from the start, which is safe: it is applied in one transaction with its own end.
"""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock, db, logs
from nastavnik_registry.commands import imports as commands
from nastavnik_registry.imports.worker import Workers
from nastavnik_registry.settings import RegistrySettings
from nastavnik_registry.tables import ImportJob

log = logs.logger(__name__)
OPEN = ("queued", "checking", "applying")
_PARALLEL = 2
_SWEEP_SECONDS = 1.0
_PAUSE_SECONDS = 2.0
_UPLOAD_SECONDS = 3600.0
_CLEAN_SECONDS = 3600.0


class Jobs:
    def __init__(self, settings: RegistrySettings, sessions: db.Sessions) -> None:
        self._settings = settings
        self._sessions = sessions
        self._wake = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._workers = Workers(settings)

    def wake(self) -> None:
        """There is a new job."""
        self._wake.set()

    def path(self, ident: UUID) -> Path:
        return package_path(self._settings, ident)

    async def run(self) -> None:
        """Work until cancelled. What runs then is cut short, and run again at the next start."""
        swept = -_CLEAN_SECONDS
        try:
            while True:
                try:
                    if time.monotonic() - swept >= _CLEAN_SECONDS:
                        await self._sweep()
                        swept = time.monotonic()
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

    async def _sweep(self) -> None:
        """Remove what a crash left behind, or nobody decided on: it is personal."""
        async with self._sessions.begin() as tx:
            await commands.expire(tx, self._settings.import_keep_days)
        needed = col(ImportJob.status).in_((*OPEN, *commands.WAITING))
        query = select(col(ImportJob.id)).where(needed)
        async with self._sessions() as tx:
            wanted = {self.path(ident) for ident in (await tx.execute(query)).scalars()}
        await asyncio.to_thread(_remove_others, self._settings.import_dir / "imports", wanted)

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
            connection = await db.connect(
                self._settings.database_url, self._settings.database_timeout_seconds
            )
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
        attempts, undoes = await self._count_attempt(ident, 1)
        if undoes is None and not self.path(ident).exists():
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
            await self._remove(ident)
        else:
            log.warning("import cut short", import_id=str(ident))
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _remove(self, ident: UUID) -> None:
        """Remove the package, unless somebody has yet to decide on it."""
        query = select(col(ImportJob.status)).where(col(ImportJob.id) == ident)
        async with self._sessions() as tx:
            status = (await tx.execute(query)).scalar_one()
        if status not in (*OPEN, *commands.WAITING):
            await self.discard(ident)

    async def discard(self, ident: UUID) -> None:
        await asyncio.to_thread(self.path(ident).unlink, missing_ok=True)

    async def _count_attempt(self, ident: UUID, by: int) -> tuple[int, UUID | None]:
        """The attempts so far, and the import that this one undoes."""
        statement = (
            update(ImportJob)
            .where(col(ImportJob.id) == ident)
            .values(attempts=col(ImportJob.attempts) + by)
            .returning(col(ImportJob.attempts), col(ImportJob.undoes))
        )
        async with self._sessions.begin() as tx:
            attempts, undoes = (await tx.execute(statement)).one()
        return attempts, undoes

    async def _fail(self, ident: UUID, code: str) -> None:
        async with self._sessions.begin() as tx:
            await finish(tx, ident, status="failed", error=code)
        await self.discard(ident)


def package_path(settings: RegistrySettings, ident: UUID) -> Path:
    return settings.import_dir / "imports" / f"{ident}.zip"


def _remove_others(folder: Path, wanted: set[Path]) -> None:
    """What is young may be on its way in."""
    before = time.time() - _UPLOAD_SECONDS
    for path in folder.glob("*") if folder.exists() else ():
        with contextlib.suppress(FileNotFoundError):
            if path not in wanted and path.stat().st_mtime < before:
                path.unlink()


async def finish(tx: AsyncSession, ident: UUID, *, status: str, **values: Any) -> bool:
    """End an open job. False: somebody else has ended it already."""
    statement = (
        update(ImportJob)
        .where(col(ImportJob.id) == ident, col(ImportJob.status).in_(OPEN))
        .values(status=status, phase=status, finished_at=clock.now(), **values)
        .returning(col(ImportJob.id))
    )
    return (await tx.execute(statement)).scalar_one_or_none() is not None
