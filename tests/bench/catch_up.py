"""The projector catching up: events folded per second, beside COPY of one row per event and
beside reading the same records without doing anything with them."""

import asyncio
import random
from datetime import date, timedelta
from typing import Any

from prometheus_client import CollectorRegistry

from nastavnik_common import db, kafka
from nastavnik_common.events.activity import Member
from nastavnik_common.settings import Settings
from nastavnik_metrics import catalogue
from nastavnik_metrics.batch import TOPICS
from nastavnik_metrics.projector import Projector
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.telemetry import ProjectorMetrics
from tests.bench.harness import Row, timed
from tests.metrics.world import ident, meeting, pair, person, record, school, unit

PERSONS, SCHOOLS, PAIRS, SESSIONS = 20_000, 60, 6_000, 60_000


def world(seed: int = 1) -> list[Any]:
    """States in the order of their making: units, persons, pairs, sessions."""
    dice = random.Random(seed)
    states: list[Any] = [unit("region", "region")]
    states += [school(f"s{i}", "region") for i in range(SCHOOLS)]
    states += [
        person(f"p{i}", f"s{i % SCHOOLS}", birth_year=dice.randint(2008, 2018))
        for i in range(PERSONS)
    ]
    couples = [(f"p{2 * i}", f"p{2 * i + 1}") for i in range(PAIRS)]
    states += [
        pair(f"m{i}", a, b, members=(_member(a, "mentor"), _member(b, "mentee")))
        for i, (a, b) in enumerate(couples)
    ]
    first = date(2026, 9, 1)
    for i in range(SESSIONS):
        at = dice.randrange(PAIRS)
        day = first + timedelta(days=dice.randrange(80))
        states.append(meeting(f"x{i}", f"m{at}", *couples[at], day=day))
    return states


def _member(name: str, role: Any) -> Member:
    return Member(participant_id=ident(name), role=role)


async def run(settings: MetricsSettings) -> list[Row]:
    records = [record(state) for state in world()]
    await kafka.ensure_topics(settings)
    producer = kafka.create_producer(settings, "bench")
    await producer.start()
    with timed() as producing:
        sent = []
        for r in records:
            keyed = str(getattr(r, "key", b"").decode())
            partition = kafka.partition_for(keyed, settings.kafka_partitions)
            sent.append(
                await producer.send(
                    r.topic, r.value, key=r.key, headers=list(r.headers), partition=partition
                )
            )
        await asyncio.gather(*sent)
    await producer.stop()
    reading = await _read(settings, len(records))
    copying = await _copy(settings, records)
    folding = await _fold(settings, len(records))
    per_second = [len(records) / seconds for seconds in (folding, copying, reading, producing())]
    folded, copied, read, produced = per_second
    return [
        Row("catch-up", folded, "events/s", copied, "COPY of one row per event"),
        Row("catch-up", folded, "events/s", read, "aiokafka getmany"),
        Row("produce (context)", produced, "events/s"),
    ]


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
    projector = Projector(settings, catalogue.load(), ProjectorMetrics(CollectorRegistry()))
    watch = await db.connect(settings.database_url)
    with timed() as seconds:
        task = asyncio.create_task(projector.run())
        done = 0
        while done < count:
            await asyncio.sleep(0.05)
            done = await watch.fetchval(
                "select coalesce(sum(applied + superseded), 0) from stream_position"
            )
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await watch.close()
    return seconds()
