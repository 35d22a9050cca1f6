"""The projector catching up: events folded per second, beside COPY of one row per event and
beside reading the same records without doing anything with them."""

import asyncio
import random
from datetime import date, timedelta
from typing import Any

from nastavnik_common import db, kafka
from nastavnik_common.events.activity import Member
from nastavnik_common.settings import Settings
from nastavnik_metrics.batch import TOPICS
from nastavnik_metrics.settings import MetricsSettings
from tests.bench import naive, pace
from tests.bench.harness import Row, timed, until
from tests.bench.projecting import projecting, send
from tests.bench.stage import Stage
from tests.metrics.world import ident, meeting, pair, person, record, school, unit

SCHOOLS = 60
PERSONS, PAIRS, SESSIONS = 20_000, 6_000, 60_000
_QUICK = 10  # so many times less
_NAIVE = 2_000


def world(seed: int = 1, less: int = 1) -> list[Any]:
    """States in the order of their making: units, persons, pairs, sessions; of the last three
    `less` times fewer."""
    persons, pairs, sessions = PERSONS // less, PAIRS // less, SESSIONS // less
    dice = random.Random(seed)
    states: list[Any] = [unit("region", "region")]
    states += [school(f"s{i}", "region") for i in range(SCHOOLS)]
    states += [
        person(f"p{i}", f"s{i % SCHOOLS}", birth_year=dice.randint(2008, 2018))
        for i in range(persons)
    ]
    couples = [(f"p{2 * i}", f"p{2 * i + 1}") for i in range(pairs)]
    states += [
        pair(f"m{i}", a, b, members=(_member(a, "mentor"), _member(b, "mentee")))
        for i, (a, b) in enumerate(couples)
    ]
    first = date(2026, 9, 1)
    for i in range(sessions):
        at = dice.randrange(pairs)
        day = first + timedelta(days=dice.randrange(80))
        states.append(meeting(f"x{i}", f"m{at}", *couples[at], day=day))
    return states


def _member(name: str, role: Any) -> Member:
    return Member(participant_id=ident(name), role=role)


async def run(stage: Stage) -> list[Row]:
    settings = MetricsSettings(**stage.settings("metrics").model_dump())
    states = world(less=_QUICK if stage.quick else 1)
    records = [record(state) for state in states]
    await kafka.ensure_topics(settings)
    await _produce(settings, records)
    reading = await _read(settings, len(records))
    copying = await _copy(settings, records)
    folding = await _fold(settings, len(records))
    folded, copied, read = (len(records) / seconds for seconds in (folding, copying, reading))
    stride = max(len(records) * (10 if stage.quick else 1) // _NAIVE, 1)
    plain = await naive.handled(
        await stage.own_database("naive", "nastavnik_metrics"), records[::stride]
    )
    return [
        Row("catch-up", folded, "events/s", copied, "COPY of one row per event"),
        Row("catch-up", folded, "events/s", read, "aiokafka getmany"),
        Row("catch-up", folded, "events/s", plain, "naive: a transaction per event"),
        *await pace.run(settings, states, seconds=3 if stage.quick else 15),
    ]


async def _produce(settings: Settings, records: list[Any]) -> None:
    async with kafka.create_producer(settings, "bench") as producer:
        await asyncio.gather(*[await send(producer, settings, one) for one in records])


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


async def _copy(settings: Settings, records: list[Any]) -> float:
    connection = await db.connect(settings.database_url)
    await connection.execute("create unlogged table if not exists bench_copy (k bytea, v bytea)")
    await connection.execute("drop table bench_copy; create table bench_copy (k bytea, v bytea)")
    with timed() as seconds:
        for start in range(0, len(records), 5000):
            await connection.copy_records_to_table(
                "bench_copy", records=[(r.key, r.value) for r in records[start : start + 5000]]
            )
    await connection.execute("drop table bench_copy")
    await connection.close()
    return seconds()


async def _fold(settings: MetricsSettings, count: int) -> float:
    """Seconds from the assignment of the partitions to the commit of the last record."""
    watch = await db.connect(settings.database_url)
    async with projecting(settings):
        await until(lambda: watch.fetchval("select exists (select from stream_position)"))
        with timed() as seconds:
            await until(lambda: watch.fetchval(_READ, count), pause=0.02)
    await watch.close()
    return seconds()


_READ = "select coalesce(sum(applied + superseded), 0) >= $1 from stream_position"
