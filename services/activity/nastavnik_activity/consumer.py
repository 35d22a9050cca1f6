"""Kafka → replica: a FastStream batch subscriber that neither skips a record nor spins.

FastStream's own acknowledgement loses: whatever the policy, a handler that raises lets the next
commit go past its batch, and a header that is not UTF-8 loses the batch before the handler is
called. So headers are left raw, the handler does not return before the batch is in the database
(failures are retried for as long as they last), and it commits itself, after that.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER

from nastavnik_activity import replica
from nastavnik_common import db, kafka, kafka_security, logs
from nastavnik_common.settings import Settings

log = logs.logger(__name__)
GROUP = "nastavnik-activity"
MAX_RECORDS = 2000
_LONGEST_PAUSE = 10.0
_REBALANCE_PATIENCE = 15.0
Batch = tuple[ConsumerRecord[bytes, bytes], ...]


class ReplicaConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """Run it as a task; `check` raises while it does not consume."""

    def __init__(self, settings: Settings, sessions: db.Sessions, metrics: replica.Metrics) -> None:
        self._settings = settings
        self._sessions = sessions
        self._metrics = metrics
        self._subscriber: Any = None
        self._trouble: str | None = "not connected yet"
        self._busy = asyncio.Lock()

    async def check(self) -> None:
        """Passes while the consuming task lives, has partitions, and its batches get through."""
        if self._trouble is not None:
            raise RuntimeError(self._trouble)
        if not self._alive():
            raise RuntimeError("the consuming task is not running")
        await kafka.check_consumer(self._subscriber.consumer)

    async def run(self) -> None:
        """Until cancelled. A broker that is away is tried again, with backoff."""
        pause = 0.25
        while True:
            broker = self._broker()
            try:
                await kafka.ensure_topics(self._settings)
                await broker.start()
                self._trouble, pause = None, 0.25
                await self._ended()
                self._trouble = "the consuming task has ended; starting another"
            except Exception as error:
                self._trouble = f"no connection to Kafka: {type(error).__name__}"
                log.warning("replica consumer not started", error=str(error), retry_in=pause)
            finally:
                await self._stop(broker)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _broker(self) -> KafkaBroker:
        quiet = logging.getLogger("faststream.kafka")
        # its only warning of use to us would be that it creates no topics; we do
        quiet.setLevel(logging.ERROR)
        broker = KafkaBroker(
            self._settings.kafka_bootstrap_servers,
            security=kafka_security.of_broker(self._settings),
            client_id=GROUP,
            request_timeout_ms=self._settings.kafka_request_timeout_ms,
            consumer_only=True,
            allow_auto_create_topics=False,
            logger=quiet,
            graceful_timeout=5.0,
        )
        self._subscriber = broker.subscriber(
            *(kind.topic for kind in replica.KINDS),
            batch=True,
            max_records=MAX_RECORDS,
            batch_timeout_ms=100,
            group_id=GROUP,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            session_timeout_ms=self._settings.kafka_session_timeout_ms,
            heartbeat_interval_ms=max(self._settings.kafka_session_timeout_ms // 5, 500),
            partition_assignment_strategy=(RangePartitionAssignor,),
            listener=self,
            parser=_parse,
            decoder=_decode,
        )
        self._subscriber(self._handle)
        return broker

    def _alive(self) -> bool:
        found = self._subscriber
        return (
            found is not None
            and found.consumer is not None
            and any(not task.done() for task in found.tasks)
        )

    async def _ended(self) -> None:
        """FastStream starts a failed task anew; only when none is left do we."""
        while self._alive():  # noqa: ASYNC110  # its tasks change, and tell nobody
            await asyncio.sleep(0.5)

    async def _stop(self, broker: KafkaBroker) -> None:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(broker.stop(), 10)

    async def _handle(self, message: KafkaMessage) -> None:
        batch = message.raw_message
        assert isinstance(batch, tuple)
        async with self._busy:
            await self._store(batch)
            await self._commit(batch)

    async def _store(self, batch: Batch) -> None:
        """Not before it is in the database does this return."""
        pause = 0.1
        while True:
            try:
                async with self._sessions.begin() as tx:
                    done = await replica.apply(tx, batch)
            except Exception as error:
                self._trouble = f"a batch does not get through: {type(error).__name__}"
                log.warning("replica batch failed", error=type(error).__name__, retry_in=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            self._trouble = None
            done.count(self._metrics)
            return

    async def _commit(self, batch: Batch) -> None:
        """A commit that fails means that records come again, which versions make harmless."""
        consumer: AIOKafkaConsumer = self._subscriber.consumer
        ends = {TopicPartition(r.topic, r.partition): r.offset + 1 for r in batch}
        # what was taken from us meanwhile is read again by its new owner
        mine = {tp: end for tp, end in ends.items() if tp in consumer.assignment()}
        if not mine:
            return
        try:
            # aiokafka would try for ever on a topic that is gone
            await asyncio.wait_for(consumer.commit(mine), 10)
        except (KafkaError, TimeoutError) as error:
            log.warning("offsets not committed", error=type(error).__name__)

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Let the running batch be committed, so that its new owner need not do it again."""
        if revoked:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_REBALANCE_PATIENCE), self._busy:
                    pass

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        log.info("replica partitions assigned", count=len(assigned))


async def _parse(batch: Batch) -> KafkaMessage:
    """The records as they are: headers may hold anything, and a null value is a tombstone."""
    return KafkaMessage(body=b"", raw_message=batch, consumer=FAKE_CONSUMER)


async def _decode(message: KafkaMessage) -> list[Any]:
    return []
