"""A log and a database of their own for one measurement, one after another on the same servers."""

import asyncio
from typing import Any, NamedTuple

from nastavnik_common import kafka
from nastavnik_metrics.settings import MetricsSettings
from tests.bench.harness import until
from tests.bench.projecting import send
from tests.bench.shapes import Shape, world
from tests.bench.stage import Stage
from tests.metrics.world import FakeRecord, record

_CHUNK = 20_000  # records handed to the producer at once


class Log(NamedTuple):
    """What Kafka holds now, and where its figures go: a database in which there are none yet."""

    settings: MetricsSettings
    states: list[Any]
    records: list[FakeRecord]


async def laid(stage: Stage, name: str, shape: Shape) -> Log:
    """Throw away the log there was; put that of the shape in its place, acknowledged."""
    settings = await stage.own_database(name, "nastavnik_metrics")
    states = world(shape)
    records = [record(state) for state in states]
    await _without_topics(settings)
    await kafka.ensure_topics(settings)
    async with kafka.create_producer(settings, "bench") as producer:
        for start in range(0, len(records), _CHUNK):
            some = records[start : start + _CHUNK]
            await asyncio.gather(*[await send(producer, settings, one) for one in some])
    return Log(settings, states, records)


async def _without_topics(settings: MetricsSettings) -> None:
    admin = kafka.create_admin(settings)
    await admin.start()
    try:
        names = {topic.name for topic in kafka.topics(settings)}

        async def left() -> list[str]:
            return sorted(names & set(await admin.list_topics()))

        async def gone() -> bool:
            return not await left()

        if there := await left():
            await admin.delete_topics(there)
            await until(gone, pause=0.2)
    finally:
        await admin.close()
