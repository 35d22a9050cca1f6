"""Kafka: topics, partitions, clients.

Topics are compacted, and every one of them has the same number of partitions: with the range
assignor a consumer that owns partition n of one owns it of all, so everything about a mentorship
meets in one place. The number is fixed when the topics are created.
"""

import asyncio
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.partitioner import murmur2

from nastavnik_common import kafka_security
from nastavnik_common.events import KINDS
from nastavnik_common.logs import logger
from nastavnik_common.settings import KafkaSettings

log = logger(__name__)

STOP_SECONDS = 10.0
_DAY_MS = 24 * 3600 * 1000
COMPACTED = {
    "cleanup.policy": "compact",
    # a consumer that starts from the beginning has this long to read past a tombstone
    "delete.retention.ms": str(7 * _DAY_MS),
    "min.cleanable.dirty.ratio": "0.3",
    "segment.ms": str(_DAY_MS),
}
DEAD_LETTER = {"cleanup.policy": "delete", "retention.ms": str(90 * _DAY_MS)}


class PartitionCountError(RuntimeError):
    """A topic exists with another number of partitions than configured."""


@lru_cache(maxsize=65536)
def partition_for(key: str, partitions: int) -> int:
    """The partition a key lives in: Kafka's default hash, so that any client agrees."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def topics(settings: KafkaSettings) -> list[NewTopic]:
    """Every topic of the contract, with a dead letter topic where something consumes it."""
    shape = (settings.kafka_partitions, settings.kafka_replication_factor)
    found = []
    for kind in KINDS:
        found.append(NewTopic(kind.topic, *shape, topic_configs=COMPACTED))
        if kind.consumers:
            found.append(
                NewTopic(
                    kind.dead_letter_topic,
                    1,
                    settings.kafka_replication_factor,
                    topic_configs=DEAD_LETTER,
                )
            )
    return found


async def ensure_topics(settings: KafkaSettings) -> None:
    """Create what is missing; refuse topics of another partition count."""
    admin = create_admin(settings)
    await admin.start()
    try:
        wanted = {topic.name: topic for topic in topics(settings)}
        missing = [t for name, t in wanted.items() if name not in await admin.list_topics()]
        if missing:
            response = await admin.create_topics(missing)
            for name, code, *_ in response.topic_errors:
                if code not in (0, TopicAlreadyExistsError.errno):
                    raise for_code(code)(f"creating {name}")
            log.info("topics created", count=len(missing))
        for described in await _described(admin, list(wanted)):
            expected = wanted[described["topic"]].num_partitions
            if len(described["partitions"]) != expected:
                raise PartitionCountError(
                    f"{described['topic']} has {len(described['partitions'])} partitions, "
                    f"configured are {expected}; partition counts are fixed at creation"
                )
    finally:
        await admin.close()


async def _described(admin: AIOKafkaAdminClient, names: list[str]) -> list[dict]:  # type: ignore[type-arg]
    """Topic metadata, once the brokers know of every one of them."""
    for _ in range(50):
        found: list[dict] = await admin.describe_topics(names)  # type: ignore[type-arg]
        if all(topic["error_code"] == 0 and topic["partitions"] for topic in found):
            return found
        await asyncio.sleep(0.1)
    raise KafkaError(f"topics not visible after creation: {names}")


async def cluster_id(settings: KafkaSettings) -> str:
    """The identity of the cluster, so that a position is never used in another one."""
    admin = create_admin(settings)
    await admin.start()
    try:
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await admin.close()


def create_admin(settings: KafkaSettings) -> AIOKafkaAdminClient:
    return AIOKafkaAdminClient(
        bootstrap_servers=settings.kafka_bootstrap_servers, **kafka_security.of_client(settings)
    )


def create_producer(settings: KafkaSettings, client_id: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        **kafka_security.of_client(settings),
        client_id=client_id,
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
        request_timeout_ms=settings.kafka_request_timeout_ms,
        linger_ms=2,
        max_batch_size=256 * 1024,
    )


def create_consumer(settings: KafkaSettings, group_id: str | None, *names: str) -> AIOKafkaConsumer:
    """A consumer that commits nothing by itself and reads from the beginning."""
    return AIOKafkaConsumer(
        *names,
        bootstrap_servers=settings.kafka_bootstrap_servers,
        **kafka_security.of_client(settings),
        group_id=group_id,
        client_id=group_id or "nastavnik-reader",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=settings.kafka_session_timeout_ms,
        heartbeat_interval_ms=max(settings.kafka_session_timeout_ms // 5, 500),
        partition_assignment_strategy=(RangePartitionAssignor,),
        max_partition_fetch_bytes=4 * 1024 * 1024,
        request_timeout_ms=settings.kafka_request_timeout_ms,
        fetch_max_wait_ms=100,
    )


async def stop(consumer: AIOKafkaConsumer) -> None:
    """Close it, in bounded time. aiokafka waits for tasks that it has cancelled, and one of them
    may miss that: before Python 3.12 `wait_for` swallows a cancellation that meets a result, as
    many do in a process that was suspended. What it waits for is cancelled again."""
    if not await _ended(consumer.stop()):
        for part in (consumer._fetcher, consumer._client):
            await _ended(part.close())


async def _ended(closing: Coroutine[Any, Any, None]) -> bool:
    """False: it had to be cancelled, or was by what it waited for. A task of its own, so that
    neither cancels the caller."""
    task = asyncio.create_task(closing)
    while not task.done():
        _, waiting = await asyncio.wait({task}, timeout=STOP_SECONDS)
        if waiting:
            log.warning("the consumer does not stop, asking again")
            task.cancel()
    if task.cancelled():
        return False
    task.result()
    return True


async def check_consumer(consumer: AIOKafkaConsumer) -> None:
    """Passes while the consumer has partitions and its brokers answer. It keeps its assignment,
    and tells nobody, when they are away."""
    if not consumer.assignment():
        raise RuntimeError("no partitions assigned")
    if not await consumer._client.force_metadata_update():
        raise RuntimeError("Kafka does not answer")
