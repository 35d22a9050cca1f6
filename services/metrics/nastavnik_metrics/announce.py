"""Announcing: values that changed go to the history, the live stream and ``nastavnik.indicators``.

Folding marks organisations stale in its own transaction; a round takes the marks, evaluates the
units concerned and those above them, and writes what differs from what was announced last. One
replica at a time does it; a crash leaves the marks.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import clock, db, events, logs
from nastavnik_common.events.metrics import IndicatorValueState
from nastavnik_common.outbox import Outbox
from nastavnik_metrics import months, snapshot, values
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.folding import CELLS_CHANNEL
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.telemetry import ProjectorMetrics

log = logs.logger(__name__)
VALUES_CHANNEL = "nastavnik_values"
UNITS = 200
"""Stale units in one round: neither its memory nor its transaction grows with the region."""


class Told(NamedTuple):
    changed: int
    """Values that were announced."""
    more: bool
    """Whether anything stale is left."""


class Announcer:
    def __init__(
        self,
        settings: MetricsSettings,
        sessions: db.Sessions,
        outbox: Outbox,
        definitions: Definitions,
        metrics: ProjectorMetrics,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._outbox = outbox
        self._definitions = definitions
        self._metrics = metrics
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled. Rounds take at most a third of the time while everything changes."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                began, told = time.monotonic(), Told(0, False)
                try:
                    told = await self.round()
                except Exception as error:
                    log.warning("announcing failed", error=f"{type(error).__name__}: {error}")
                    await asyncio.sleep(1)
                spent = time.monotonic() - began
                if told.changed or told.more:
                    await asyncio.sleep(max(self._settings.announce_seconds, 2 * spent))
                if not told.more:
                    await self._woken()
        finally:
            listening.cancel()

    async def _woken(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), 1)
        except TimeoutError:
            return
        self._wake.clear()

    async def _listen(self) -> None:
        while True:
            try:
                await db.listen(
                    self._settings.database_url, CELLS_CHANNEL, lambda _: self._wake.set()
                )
            except Exception as error:
                log.debug("no wake-ups for now", error=str(error))
            await asyncio.sleep(1)

    async def round(self) -> "Told":
        """Announce some of what is stale."""
        async with self._sessions.begin() as tx:
            leading = await tx.scalar(
                text("select pg_try_advisory_xact_lock(hashtext(:name))"), {"name": VALUES_CHANNEL}
            )
            if not leading:
                return Told(0, False)
            await tx.execute(text(_SPREAD))
            stale = set((await tx.execute(text(_TAKE), {"most": UNITS})).scalars())
            if not stale:
                return Told(0, False)
            changed = 0
            for year in await self._years(tx):
                changed += await self._announce(tx, stale, year)
            more = await tx.scalar(text("select exists (select from stale)"))
        self._metrics.announced.inc(changed)
        return Told(changed, bool(more))

    async def republish(self) -> int:
        """Put every announced value into the outbox again, at the versions they have."""
        async with self._sessions.begin() as tx:
            rows = await tx.stream(text("select body::text from indicator_value order by id"))
            count = 0
            async for part in rows.scalars().partitions(2000):
                known = [_VALUE.decode(body) for body in part]
                await self._outbox.add(
                    tx, *(self._outbox.event(events.INDICATOR, "changed", v) for v in known)
                )
                count += len(known)
        return count

    async def _years(self, tx: AsyncSession) -> list[int]:
        """Years in which anybody attended anything, and the current one. The clock decides only
        what is announced, never what a value is."""
        rows = await tx.execute(
            text("select distinct school_month / 12 from attendance where held > 0")
        )
        return sorted({year for (year,) in rows} | {clock.school_year(clock.now().date())})

    async def _announce(self, tx: AsyncSession, stale: set[UUID], year: int) -> int:
        month = months.last_month(year)
        snap = await snapshot.take(tx, month, self._definitions.catalogue)
        units = snap.tree.with_ancestors(stale)
        found = await values.evaluated(tx, snap, units, snap.catalogue.current(year))
        fresh = await self._changed(tx, found)
        await self._write(tx, fresh)
        return len(fresh)

    async def _changed(
        self, tx: AsyncSession, found: Iterable[IndicatorValueState]
    ) -> list[IndicatorValueState]:
        """Those that differ from the value announced last, at their next version."""
        by_id = {value.id: value for value in found}
        rows = await tx.execute(
            text("select id, version, body::text from indicator_value where id = any(:ids)"),
            {"ids": list(by_id)},
        )
        known = {ident: (version, body) for ident, version, body in rows}
        fresh = []
        for value in by_id.values():
            version, body = known.get(value.id, (0, None))
            if body is None or _essence(_VALUE.decode(body)) != _essence(value):
                fresh.append(msgspec.structs.replace(value, version=version + 1))
        return fresh

    async def _write(self, tx: AsyncSession, fresh: list[IndicatorValueState]) -> None:
        if not fresh:
            return
        bodies = [msgspec.json.encode(value).decode() for value in fresh]
        raw = await db.driver(tx)
        columns = (
            [v.id for v in fresh],
            [v.version for v in fresh],
            [v.numerator for v in fresh],
            [v.denominator for v in fresh],
            bodies,
        )
        await raw.execute(_UPSERT, *columns)
        about = [v.organization_id for v in fresh], [v.school_year for v in fresh]
        await raw.execute(_APPEND, columns[0], *about, bodies)
        await self._outbox.copy(
            tx, [self._outbox.event(events.INDICATOR, "changed", value) for value in fresh]
        )
        await tx.execute(text(f"select pg_notify('{VALUES_CHANNEL}', '')"))


_VALUE = msgspec.json.Decoder(IndicatorValueState)


def _essence(value: IndicatorValueState) -> IndicatorValueState:
    """The value without what changes all the time."""
    return msgspec.structs.replace(value, version=1, watermark=None, pace=None)


_SPREAD = """
    with everything as (delete from stale where organization_id is null returning 1)
    insert into stale (organization_id)
    select id from organization where state is not null and exists (select from everything)
"""
_TAKE = """
    with few as (select distinct organization_id as id from stale order by 1 limit :most),
    taken as (delete from stale using few where stale.organization_id = few.id)
    select id from few
"""
_UPSERT = """
    insert into indicator_value (id, version, numerator, denominator, body)
    select * from unnest($1::uuid[], $2::int[], $3::bigint[], $4::bigint[], $5::json[])
    on conflict (id) do update set version = excluded.version, numerator = excluded.numerator,
      denominator = excluded.denominator, body = excluded.body
"""
_APPEND = """
    insert into value_change (value_id, organization_id, school_year, body)
    select * from unnest($1::uuid[], $2::uuid[], $3::int[], $4::json[])
"""
