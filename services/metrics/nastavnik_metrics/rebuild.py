"""A rebuild: the figures counted anew from the log, beside the live ones, then put in their place.

The shadow tables are filled by the same `store.apply`, up to the very positions of the live
figures; so whatever differs is drift, and not delay. Taking over is one transaction under the
positions' locks. Until it commits the live tables are what they were.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from aiokafka import TopicPartition

from nastavnik_common import clock, db, logs
from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_metrics import rebuild_letters, rebuild_log, rebuild_tables, store
from nastavnik_metrics.batch import Batch
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.folding import CELLS_CHANNEL
from nastavnik_metrics.rebuild_log import LogReader
from nastavnik_metrics.rebuild_tables import Report
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.shares import Shares

log = logs.logger(__name__)
State = Literal["idle", "reading", "comparing", "done", "compared", "refused", "failed"]
LOCK = "select pg_try_advisory_lock(hashtext('nastavnik_rebuild'))"


@dataclass
class Progress:
    state: State = "idle"
    dry_run: bool = False
    accept_loss: bool = False
    began: datetime | None = None
    ended: datetime | None = None
    records: int = 0
    unreadable: int = 0
    left: int | None = None
    error: str | None = None
    report: Report | None = None
    replaced: dict[str, int] = field(default_factory=dict)


class Rebuilder:
    def __init__(self, settings: MetricsSettings, definitions: Definitions) -> None:
        self._settings = settings
        self._definitions = definitions
        self._asked = asyncio.Event()
        self._live: Any = None
        self._shadow: Any = None
        self._shares = Shares(definitions.catalogue)
        self.progress = Progress()

    def ask(self, *, dry_run: bool = False, accept_loss: bool = False) -> Progress:
        """Have `run` begin; there is one rebuild at a time."""
        if self.progress.state in ("reading", "comparing"):
            raise ConflictError("rebuild.running", "A rebuild is running.")
        self.progress = Progress("reading", dry_run, accept_loss, clock.now())
        self._asked.set()
        return self.progress

    async def run(self) -> None:
        """Until cancelled: throw away what a crash left, then rebuild as it is asked for."""
        while True:
            try:
                async with self._connected():
                    await rebuild_tables.drop(self._live)
                break
            except DomainError:  # another replica rebuilds
                break
            except Exception as error:
                log.warning("rebuild", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(5)
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self.rebuild()

    async def rebuild(self) -> Progress:
        """What was asked for, whatever comes of it."""
        told = self.progress
        self._shares = Shares(self._definitions.catalogue)
        try:
            async with self._connected():
                await rebuild_tables.create(self._live)
                try:
                    await self._rebuilt(told)
                finally:
                    # a connection that is lost leaves it to the next start
                    with contextlib.suppress(*db.ERRORS):
                        await rebuild_tables.drop(self._live)
        except Exception as error:
            told.state = "failed"
            detail = error.detail if isinstance(error, DomainError) else str(error)
            told.error = f"{type(error).__name__}: {detail}"
            log.error("rebuild failed", error=told.error)
        told.ended = clock.now()
        return told

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        """Two connections, one of which knows nothing but the shadow tables; alone of all."""
        async with contextlib.AsyncExitStack() as stack:
            self._live = await self._connect(stack)
            self._shadow = await self._connect(stack)
            if not await self._live.fetchval(LOCK):
                raise ConflictError("rebuild.elsewhere", "Another replica is rebuilding.")
            await store.dedicate(self._shadow)
            await self._shadow.execute(f"set search_path to {rebuild_tables.SHADOW}")
            yield

    async def _connect(self, stack: contextlib.AsyncExitStack) -> Any:
        settings = self._settings
        made = await db.connect(settings.database_url, settings.scan_timeout_seconds)
        stack.push_async_callback(made.close, timeout=5)
        return made

    async def _rebuilt(self, told: Progress) -> None:
        rows = await rebuild_log.stored_positions(self._live)
        known = await rebuild_log.targets(self._settings, rows)
        async with rebuild_log.opened(self._settings, list(known)) as reader:
            ends = _ends(rows, reader)
            while told.records == 0 or reader.left(ends) > self._settings.batch_records:
                await self._read(reader, ends, told)
                ends = _ends(await rebuild_log.stored_positions(self._live), reader)
                if reader.left(ends) == 0:
                    break
            told.state = "comparing"
            async with self._live.transaction():
                locked = await rebuild_log.stored_positions(self._live, lock=True)
                await self._read(reader, _ends(locked, reader), told)
                await self._apply_letters()
                state = await self._concluded(told)
            told.state = state
            log.info("rebuild", state=state, **_short(told.report), replaced=told.replaced)

    async def _read(
        self, reader: LogReader, ends: Mapping[TopicPartition, int], told: Progress
    ) -> None:
        """Fold what the log holds up to the offsets into the shadow tables."""
        told.left = reader.left(ends)
        async for polled in reader.read(ends):
            batch = Batch({(at.topic, at.partition): 0 for at in polled})
            for records in polled.values():
                batch.add(records)
            async with self._shadow.transaction():
                await store.apply(self._shadow, batch, self._shares)
            told.records += sum(map(len, polled.values()))
            told.unreadable += len(batch.poison)
            told.left = reader.left(ends)

    async def _apply_letters(self) -> None:
        async with self._shadow.transaction():
            for record in await rebuild_letters.resolved(self._live):
                batch = Batch({(record.topic, record.partition): 0})
                batch.add([record])
                await store.apply(self._shadow, batch, self._shares)

    async def _concluded(self, told: Progress) -> State:
        """In the live transaction, with the positions locked."""
        await rebuild_tables.keep_out_writers(self._live)
        told.report = await rebuild_tables.compare(self._live)
        if told.dry_run:
            return "compared"
        if told.report.lost and not told.accept_loss:
            return "refused"
        told.replaced = await rebuild_tables.take_over(self._live)
        await self._live.execute(f"select pg_notify('{CELLS_CHANNEL}', '')")
        return "done"


def _ends(rows: list[Any], reader: LogReader) -> dict[TopicPartition, int]:
    """How far to read: as far as the live figures are."""
    found = {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
    new = found.keys() - reader.next.keys()
    if new:
        raise ConflictError("rebuild.new_partitions", "Partitions came while rebuilding; again.")
    return found


def _short(report: Report | None) -> dict[str, Any]:
    return {"cells": report.cells, "lost": report.lost} if report else {}
