"""The projector catching up: events folded per second, beside COPY of one row per event, reading
the same records without doing anything with them, and two others who do a part of the job."""

from typing import Any

from nastavnik_common import db, kafka
from nastavnik_common.settings import Settings
from nastavnik_metrics.batch import TOPICS
from nastavnik_metrics.settings import MetricsSettings
from tests.bench import fresh, naive, pace, quix
from tests.bench.fresh import Log
from tests.bench.harness import Row, attempted, timed, until
from tests.bench.projecting import projecting
from tests.bench.shapes import DISTRICT, Shape
from tests.bench.stage import Stage

_QUICK = 10  # so many times less
_NAIVE = 2_000


async def run(stage: Stage) -> list[Row]:
    shape = DISTRICT.less(_QUICK if stage.quick else 1)
    log = await fresh.laid(stage, "district", shape)
    rows = await caught_up(stage, shape, log)
    for rate, seconds in ((500, 10), (5_000, 10)):
        lasting = 3 if stage.quick else seconds
        name = f"produced → counted at {rate:,} events/s"
        rows += await attempted(name, pace.run(log.settings, log.states, rate, lasting))
    return rows


async def caught_up(stage: Stage, shape: Shape, log: Log) -> list[Row]:
    """The log folded into its database, beside the others."""
    name, count = f"catch-up, {shape}", len(log.records)
    copied = count / await copy(log.settings, log.records)
    read = count / await _read(log.settings, count)
    folded = count / await fold(log.settings, count)
    return [
        Row(name, folded, "events/s", copied, "COPY of one row per event"),
        Row(name, folded, "events/s", read, "aiokafka getmany"),
        *await attempted(f"{name}: naive", _beside_naive(stage, name, folded, log)),
        *await attempted(f"{name}: quixstreams", _beside_quix(stage, name, folded, log)),
    ]


async def _beside_naive(stage: Stage, name: str, folded: float, log: Log) -> list[Row]:
    few = log.records[:: max(len(log.records) // (_NAIVE // (_QUICK if stage.quick else 1)), 1)]
    own = f"naive-{len(log.records)}"
    plain = await naive.handled(await stage.own_database(own, "nastavnik_metrics"), few)
    return [Row(name, folded, "events/s", plain, "naive: a transaction per event")]


async def _beside_quix(stage: Stage, name: str, folded: float, log: Log) -> list[Row]:
    handled = await quix.handled(stage, log.settings, len(log.records))
    if handled is None:
        return []
    return [Row(name, folded, "events/s", handled, "quixstreams, a part of the job")]


async def _read(settings: Settings, count: int) -> float:
    consumer = kafka.create_consumer(settings, None, *TOPICS)
    await consumer.start()
    with timed() as seconds:
        seen = 0
        while seen < count:
            polled = await consumer.getmany(timeout_ms=1000, max_records=5000)
            seen += sum(map(len, polled.values()))
    await consumer.stop()
    return seconds()


async def copy(settings: Settings, records: list[Any]) -> float:
    """Seconds of COPY of one row per record, into a table without index."""
    connection = await db.connect(settings.database_url)
    await connection.execute("create unlogged table bench_copy (k bytea, v bytea)")
    with timed() as seconds:
        for start in range(0, len(records), 5000):
            await connection.copy_records_to_table(
                "bench_copy", records=[(r.key, r.value) for r in records[start : start + 5000]]
            )
    await connection.execute("drop table bench_copy")
    await connection.close()
    return seconds()


async def fold(settings: MetricsSettings, count: int) -> float:
    """Seconds from the assignment of the partitions to the commit of the last record."""
    watch = await db.connect(settings.database_url)
    async with projecting(settings):
        await until(lambda: watch.fetchval("select exists (select from stream_position)"))
        with timed() as seconds:
            await until(lambda: watch.fetchval(_READ, count), pause=0.02)
    await watch.close()
    return seconds()


_READ = "select coalesce(sum(applied + superseded), 0) >= $1 from stream_position"
