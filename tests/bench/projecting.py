"""A projector at work in this process, and the way of records to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from prometheus_client import CollectorRegistry

from nastavnik_common import collector, kafka
from nastavnik_common.events.envelope import parse
from nastavnik_common.settings import Settings
from nastavnik_metrics import catalogue
from nastavnik_metrics.projector import Projector
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.telemetry import ProjectorMetrics


@contextlib.asynccontextmanager
async def projecting(settings: MetricsSettings) -> AsyncIterator[Projector]:
    collector.relax()
    projector = Projector(settings, catalogue.load(), ProjectorMetrics(CollectorRegistry()))
    task = asyncio.create_task(projector.run())
    try:
        yield projector
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def send(producer: Any, settings: Settings, one: Any) -> Any:
    """Hand a record to the producer, for the partition of its affinity, as the relay would; the
    future of its place in the log."""
    key = parse(one.headers).partition_key
    return await producer.send(
        one.topic,
        one.value,
        key=one.key,
        headers=list(one.headers),
        partition=kafka.partition_for(key, settings.kafka_partitions),
    )
