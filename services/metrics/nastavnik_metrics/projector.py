"""The projector: poll → decode → apply, offsets and figures in one transaction.

Nothing is committed to the consumer group: the position of a partition is a row beside the
figures. A batch locks those rows first, so a replica that lost a partition without noticing (a
zombie) waits, finds the position moved, and drops what it read. Exactly once in effect.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from nastavnik_common import clock, db, kafka, logs, tracing
from nastavnik_metrics import positions, renewal, store
from nastavnik_metrics.batch import TOPICS
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.folding import Folding
from nastavnik_metrics.parking import Surge
from nastavnik_metrics.polling import Poller
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.shares import Shares
from nastavnik_metrics.telemetry import ProjectorMetrics

log = logs.logger(__name__)
GROUP = "nastavnik-metrics"
LOGGED_CORRELATIONS = 20


class Projector:
    def __init__(
        self, settings: MetricsSettings, catalogue: Catalogue, metrics: ProjectorMetrics
    ) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._folding: Any = None
        self._metrics = metrics
        self.surge = Surge(settings.dead_letter_surge)
        self._busy = asyncio.Lock()
        self._ending = False
        self._consumer: AIOKafkaConsumer | None = None
        self._connection: Any = None
        self._poller: Any = None
        self._cluster = ""
        self._watermark_saved = 0.0
        self._lags: dict[TopicPartition, int] = {}

    def lags(self) -> dict[tuple[str, int], int]:
        return {(tp.topic, tp.partition): lag for tp, lag in self._lags.items()}

    async def run(self) -> None:
        """Until cancelled. A failure delays and is tried again from the stored positions."""
        pause = 0.0
        while True:
            try:
                async with self._connected() as consumer:
                    while True:
                        await self._step(consumer, self._poller)
                        pause = 0.0
            except Exception as error:
                pause = min(max(pause * 2, 0.25), 5.0)
                self._metrics.failures.inc()
                log.warning("projector", error=f"{type(error).__name__}: {error}", retry_in=pause)
                await asyncio.sleep(pause)

    @contextlib.asynccontextmanager
    async def _connected(self) -> Any:
        """A database connection and a consumer of every topic; both are given up on failure."""
        async with contextlib.AsyncExitStack() as stack:
            self._connection = await db.connect(
                self._settings.database_url, self._settings.database_timeout_seconds
            )
            await store.dedicate(self._connection)
            self._folding = Folding(self._connection, self._catalogue)
            await renewal.renew(self._connection, Shares(self._catalogue))
            stack.push_async_callback(self._connection.close, timeout=5)
            await kafka.ensure_topics(self._settings)
            self._cluster = await kafka.cluster_id(self._settings)
            consumer = kafka.create_consumer(self._settings, GROUP)
            stack.push_async_callback(kafka.stop, consumer)
            await consumer.start()
            consumer.subscribe(TOPICS, listener=_Rebalance(self, consumer))
            self._consumer = consumer
            self._poller = Poller(consumer, self._settings.batch_records)
            stack.callback(self._forget)
            yield consumer

    def _forget(self) -> None:
        self._consumer = None
        self._poller.drop()

    async def assigned(
        self, consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]
    ) -> None:
        """Go on where the figures are, wherever the group thinks it was."""
        async with self._busy:
            await self._finish()
            self._poller.drop()
            found = await positions.load(self._connection, consumer, self._cluster, partitions)
        for partition, offset in found.items():
            consumer.seek(partition, offset)
        log.info("partitions assigned", count=len(found))

    async def revoked(self) -> None:
        """Let the running batch finish before another replica takes over."""
        async with self._busy:
            await self._finish()

    async def end(self) -> None:
        """Let the running batch be committed; no other begins."""
        self._ending = True
        async with self._busy:
            await self._finish()

    async def _finish(self) -> None:
        if self._folding is not None and self._folding.open:
            await self._commit()

    async def check(self) -> None:
        """Ready: alive, assigned, not stopped by a surge of dead letters."""
        self.surge.check()
        if self._consumer is None:
            raise RuntimeError("not connected to Kafka")
        await kafka.check_consumer(self._consumer)

    async def _step(self, consumer: AIOKafkaConsumer, poller: Poller) -> None:
        self.surge.check()
        polled = await poller.next()
        async with self._busy:
            if self._ending:
                return
            if polled.reads and poller.valid(polled):
                self._measure(polled.lags)
                with self._metrics.batch_seconds.time():
                    await self._folding.fold(polled.reads)
            if not poller.ahead or self._folding.full or not self._alone(consumer):
                await self._finish()
            if not poller.ahead:
                self._measure(await positions.lags(consumer))
                await self._save_watermarks(bool(polled.reads))

    def _alone(self, consumer: AIOKafkaConsumer) -> bool:
        """Several batches in one transaction take owners in no common order: with another replica
        at the same owners that would be a deadlock."""
        return len(consumer.assignment()) == len(TOPICS) * self._settings.kafka_partitions

    def _measure(self, lags: dict[TopicPartition, int]) -> None:
        self._lags = lags
        self._metrics.measure_lag(lags)

    async def _commit(self) -> None:
        folded = await self._folding.commit()
        for tallies, firsts in folded.counts:
            self._metrics.count(tallies, firsts)
        tracing.record("fold", folded.began, folded.traces, records=folded.records)
        log.info(
            "batch folded",
            records=folded.records,
            batches=folded.batches,
            cells=folded.cells,
            parked=folded.poison,
            correlation_ids=sorted(folded.correlations)[:LOGGED_CORRELATIONS],
        )
        self.surge.count(folded.poison)

    async def _save_watermarks(self, moved: bool) -> None:
        """A partition read to its end is complete up to now. Once a second is enough."""
        now = clock.now()
        if not moved and now.timestamp() - self._watermark_saved < 1:
            return
        done = [partition for partition, lag in self._lags.items() if lag == 0]
        await positions.complete(self._connection, done, now)
        self._watermark_saved = now.timestamp()


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, projector: Projector, consumer: AIOKafkaConsumer) -> None:
        self._projector = projector
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        await self._projector.revoked()

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        await self._projector.assigned(self._consumer, assigned)
