"""What is read of the broker and the database for Prometheus, beside the work."""

from collections.abc import Mapping

from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from nastavnik_activity import replica, tables
from nastavnik_common import db, kafka
from nastavnik_common.lag import LagWatch
from nastavnik_common.outbox_watch import OutboxWatch
from nastavnik_common.settings import Settings
from nastavnik_common.telemetry import Reader, Readings


def create_readings(
    registry: CollectorRegistry, settings: Settings, sessions: db.Sessions, group: str
) -> Readings:
    """`group` is the consumer group of the replica."""

    async def committed() -> Mapping[TopicPartition, int]:
        return await _committed(settings, group)

    lag = LagWatch(registry, settings, "replica", committed)
    outbox = OutboxWatch(registry, sessions, tables.outbox)
    every = settings.readings_seconds
    return Readings(
        registry,
        {"outbox": Reader(outbox.read, every), "lag": Reader(lag.read, every, lag.close)},
    )


async def _committed(settings: Settings, group: str) -> Mapping[TopicPartition, int]:
    """Where the group is in every partition of the registry's topics; 0 where it never was."""
    admin = kafka.create_admin(settings)
    await admin.start()
    try:
        known = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    wanted = (
        TopicPartition(kind.topic, number)
        for kind in replica.KINDS
        for number in range(settings.kafka_partitions)
    )
    return {at: known[at].offset if at in known else 0 for at in wanted}
