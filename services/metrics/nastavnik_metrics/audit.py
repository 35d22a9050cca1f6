"""The auditor: figures against facts, all the time, a little at a time.

A round takes every owner in turn and compares what the facts make of it with what is stored of it,
then every organisation, whose cells must be the sum of its owners'. Each tick reads one snapshot.
Nothing is repaired: a difference is logged, counted and shown. Once in `recount_seconds` (a day)
everything is recomputed in one snapshot besides, and the announced values with it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from nastavnik_common import clock, db, logs
from nastavnik_common.errors import ConflictError
from nastavnik_metrics import audit_compare, audit_facts, audit_values
from nastavnik_metrics.audit_compare import Difference
from nastavnik_metrics.cells import Cell
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.telemetry import AuditMetrics

log = logs.logger(__name__)
SHOWN = 100
ORGANIZATIONS = 20
FULL_CHUNK = 250
_FIRST = UUID(int=0)


class Round:
    """One passage through everything: what was compared, and what differed."""

    def __init__(self, *, full: bool) -> None:
        self.full = full
        self.began = clock.now()
        self.ended: datetime | None = None
        self.owners = self.cells = self.drift = 0
        self.differences: list[Difference] = []

    def add(self, found: list[Difference]) -> None:
        self.drift += len(found)
        self.differences += found[: SHOWN - len(self.differences)]
        if found:
            log.error("drift", differing=len(found), cells=[d._asdict() for d in found[:SHOWN]])


class Auditor:
    def __init__(
        self, settings: MetricsSettings, definitions: Definitions, metrics: AuditMetrics
    ) -> None:
        self._settings = settings
        self._definitions = definitions
        self._metrics = metrics
        self._full = asyncio.Lock()
        self._wrong_values = 0
        self.current: Round | None = None
        self.last: Round | None = None

    async def run(self) -> None:
        """Until cancelled: one round after another, and now and then all at once. A round that
        fails is begun anew."""
        every = self._settings.recount_seconds
        due = time.monotonic() + every
        while True:
            try:
                connection = await self._connect()
                try:
                    while True:
                        await self.round(connection)
                        if time.monotonic() >= due:
                            due = time.monotonic() + every
                            await self.full()
                        await asyncio.sleep(self._settings.audit_pause_seconds)
                finally:
                    await connection.close(timeout=5)
            except Exception as error:
                log.warning("audit", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(5)

    async def _connect(self) -> Any:
        settings = self._settings
        return await db.connect(settings.database_url, settings.scan_timeout_seconds)

    async def round(self, connection: Any) -> Round:
        """All owners, then all organisations, in ticks with a pause after each."""
        found = self.current = Round(full=False)
        seen: set[UUID] = set()
        for kind in audit_facts.KINDS:
            after: UUID | None = _FIRST
            while after is not None:
                after = await self._tick(connection, found, kind, after, seen)
                await asyncio.sleep(self._settings.audit_pause_seconds)
        async for few in _organizations(connection, seen):
            async with _snapshot(connection):
                found.add(await audit_compare.organizations(connection, few))
            await asyncio.sleep(self._settings.audit_pause_seconds)
        found.cells = int(await connection.fetchval("select count(*) from cell"))
        return self._complete(found)

    async def _tick(
        self, connection: Any, found: Round, kind: str, after: UUID, seen: set[UUID]
    ) -> UUID | None:
        """One chunk of owners. Returns where to go on; None at the end of the kind."""
        limit = self._settings.audit_owners
        async with _snapshot(connection):
            idents = await audit_facts.ids(connection, kind, after, limit)
            chunk = await audit_compare.owners(
                connection, kind, idents, self._definitions.catalogue
            )
        found.owners += len(idents)
        found.add(chunk.differences)
        seen.update(cell.organization_id for cell in chunk.cells)
        return idents[-1] if len(idents) == limit else None

    async def full(self) -> Round:
        """Everything now, in one snapshot: all facts folded, their sum against every cell. Memory:
        one entry for each cell, and one chunk of owners."""
        if self._full.locked():
            raise ConflictError("audit.running", "A full audit is running.")
        async with self._full:
            connection = await self._connect()
            try:
                async with _snapshot(connection):
                    found = await self._whole(connection)
            finally:
                await connection.close(timeout=5)
            wrong = await audit_values.announced(self._settings, self._definitions.catalogue)
            self._wrong_values = len(wrong)
            found.add(wrong)
            return self._complete(found)

    async def _whole(self, connection: Any) -> Round:
        found = Round(full=True)
        total: Counter[Cell] = Counter()
        catalogue = self._definitions.catalogue
        for kind in audit_facts.KINDS:
            after = _FIRST
            while idents := await audit_facts.ids(connection, kind, after, FULL_CHUNK):
                chunk = await audit_compare.owners(connection, kind, idents, catalogue)
                total.update(chunk.cells)
                found.owners += len(idents)
                found.add(chunk.differences)
                after = idents[-1]
        found.cells, differing = await audit_compare.all_cells(connection, total)
        found.add(differing)
        return found

    def _complete(self, found: Round) -> Round:
        found.ended = clock.now()
        self.last = found
        self._metrics.rounds.inc()
        # only a full round looks at values: until the next one they stay as wrong as they were
        self._metrics.drift.set(found.drift + (0 if found.full else self._wrong_values))
        self._metrics.last_complete.set(found.ended.timestamp())
        return found


def _snapshot(connection: Any) -> Any:
    return connection.transaction(isolation="repeatable_read", readonly=True)


async def _organizations(connection: Any, seen: Iterable[UUID]) -> AsyncIterator[list[UUID]]:
    """Those that owners add to, and those that have cells, a few at a time."""
    rows = await connection.fetch("select distinct organization_id from cell")
    every = sorted({*seen, *(row["organization_id"] for row in rows)})
    for start in range(0, len(every), ORGANIZATIONS):
        yield every[start : start + ORGANIZATIONS]
