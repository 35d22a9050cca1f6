"""Announcing: values of every indicator and unit of a region, and those that one school moves."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from prometheus_client import CollectorRegistry

from nastavnik_common import db
from nastavnik_common.outbox import Outbox
from nastavnik_metrics.announce import Announcer
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.tables import OUTBOX
from nastavnik_metrics.telemetry import ProjectorMetrics
from tests.bench.harness import Row, percentile, timed
from tests.metrics.world import ident

_TURNS = 5


async def run(settings: MetricsSettings) -> list[Row]:
    connection = await db.connect(settings.database_url)
    async with _announcer(settings) as announcer:
        with timed() as whole:
            count = await _all(announcer)
        if not count:
            raise RuntimeError("nothing was announced")
        copied = await _copied(connection)
        one = [await _one(connection, announcer, f"s{n}") for n in range(_TURNS)]
    await connection.execute("truncate outbox")  # nobody relays it here
    await connection.close()
    return [
        Row("announcing the region", count / whole(), "values/s", copied, "COPY of the values"),
        Row("announcing one changed school", percentile(one, 0.5), "s", whole(), "the region"),
    ]


@contextlib.asynccontextmanager
async def _announcer(settings: MetricsSettings) -> AsyncIterator[Announcer]:
    engine = db.create_engine(settings)
    outbox = Outbox(OUTBOX, settings.schema_base_url)
    measured = ProjectorMetrics(CollectorRegistry())
    try:
        yield Announcer(
            settings, db.create_sessions(engine), outbox, Definitions(settings.catalogue), measured
        )
    finally:
        await engine.dispose()


async def _all(announcer: Announcer) -> int:
    """Round after round, without the pauses between them. How many values changed."""
    count, more = 0, True
    while more:
        told = await announcer.round()
        count, more = count + told.changed, told.more
    return count


async def _one(connection: Any, announcer: Announcer, school: str) -> float:
    """Seconds until a school's figures are told, after somebody has joined its population."""
    changed = await connection.fetchval(_MORE, ident(school))
    await connection.execute(_STALE, ident(school))
    with timed() as seconds:
        told = await _all(announcer)
    if not (changed and told):
        raise RuntimeError(f"{school} has not changed")
    await connection.execute(_FEWER, changed)
    await connection.execute(_STALE, ident(school))
    await _all(announcer)
    return seconds()


async def _copied(connection: Any) -> float:
    """Values a second into a table without index."""
    rows = [tuple(row) for row in await connection.fetch("select id, body from indicator_value")]
    await connection.execute("create table bench_value (id uuid, body json)")
    with timed() as seconds:
        await connection.copy_records_to_table("bench_value", records=rows)
    await connection.execute("drop table bench_value")
    return len(rows) / seconds()


_STALE = "insert into stale (organization_id) values ($1)"
_MORE = """
    update cell set value = value + 1 where ctid = (
      select ctid from cell where organization_id = $1 and measure like 'population%'
      order by school_month limit 1)
    returning ctid::text
"""
_FEWER = "update cell set value = value - 1 where ctid = $1::text::tid"
