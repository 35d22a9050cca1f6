"""The relay: rows of an outbox published and acknowledged, beside a bare producer."""

import asyncio
from typing import Any

from prometheus_client import CollectorRegistry

from nastavnik_common import db, kafka
from nastavnik_common.events import PARTICIPANT, Event
from nastavnik_common.outbox import Outbox, Relay, RelayMetrics
from nastavnik_common.settings import Settings
from nastavnik_registry import tables
from tests.bench.harness import Row, timed, until
from tests.bench.stage import Stage
from tests.metrics.world import person

_WARM = 2_000


async def run(stage: Stage) -> list[Row]:
    count = 5_000 if stage.quick else 60_000
    settings = stage.settings("registry")
    outbox = Outbox(tables.outbox, settings.schema_base_url)
    states = [person(f"p{i}", f"s{i % 60}") for i in range(count)]
    events = [outbox.event(PARTICIPANT, "registered", state) for state in states]
    relayed = count / await _relay(settings, outbox, events)
    sent = count / await _send(settings, events)
    return [Row("relay", relayed, "events/s", sent, "aiokafka send of the same")]


async def _relay(settings: Settings, outbox: Outbox, events: list[Event]) -> float:
    """Seconds from the commit of the rows to the commit that removes the last of them."""
    engine = db.create_engine(settings)
    sessions = db.create_sessions(engine)
    registry = CollectorRegistry()
    watch = await db.connect(settings.database_url)
    task = asyncio.create_task(
        Relay(settings, sessions, outbox.table, RelayMetrics(registry)).run()
    )
    async with sessions.begin() as tx:
        await outbox.copy(tx, events[:_WARM])
    await _drained(watch, registry, _WARM)
    async with sessions.begin() as tx:
        await outbox.copy(tx, events)
    with timed() as seconds:
        await _drained(watch, registry, _WARM + len(events))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await watch.close()
    await engine.dispose()
    return seconds()


async def _drained(watch: Any, registry: CollectorRegistry, published: int) -> None:
    """Until that many were sent, and the table is empty: then they are acknowledged, too."""
    labels = {"topic": PARTICIPANT.topic}

    async def sent() -> bool:
        return (
            registry.get_sample_value("nastavnik_outbox_published_total", labels) or 0
        ) >= published

    await until(sent)
    await until(lambda: watch.fetchval("select not exists (select from outbox)"))


async def _send(settings: Settings, events: list[Event]) -> float:
    records = [
        {
            "topic": event.topic,
            "value": event.value,
            "key": str(event.envelope.subject).encode(),
            "partition": kafka.partition_for(
                event.envelope.partition_key, settings.kafka_partitions
            ),
            "headers": event.envelope.headers(),
        }
        for event in events
    ]
    producer = kafka.create_producer(settings, "bench")
    async with producer:
        await asyncio.gather(*[await producer.send(**record) for record in records[:_WARM]])
        with timed() as seconds:
            await asyncio.gather(*[await producer.send(**record) for record in records])
    return seconds()
