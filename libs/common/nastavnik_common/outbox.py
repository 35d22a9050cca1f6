"""The outbox: an event is written in the transaction that changes the state, and published after.

A relay under a leader's advisory lock takes rows in order, publishes them with the idempotent
producer, and deletes them once the broker has acknowledged. Killed in between, it publishes them
again: consumers keep the highest version, so that is harmless. Order per key holds because the
writers of one aggregate wait for each other on its row before they add theirs.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client import Counter as Metric
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    insert,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import changes, clock, db, events, kafka, logs, tracing
from nastavnik_common.events import Event, Kind
from nastavnik_common.events.base import State
from nastavnik_common.settings import Settings

log = logs.logger(__name__)
CHANNEL = "nastavnik_outbox"
_PROBE_SECONDS = 5.0
_HEADERS = msgspec.json.Decoder(list[tuple[str, str]])


def outbox_table(metadata: MetaData) -> Table:
    """The outbox, and beside it the feed into which the relay puts what it publishes."""
    changes.change_table(metadata)
    return Table(
        "outbox",
        metadata,
        Column("id", BigInteger, primary_key=True, autoincrement=True),
        Column("topic", String, nullable=False),
        Column("key", String, nullable=False),
        Column("partition_key", String, nullable=False),
        Column("headers", LargeBinary, nullable=False),
        Column("value", LargeBinary, nullable=True),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )


class Outbox:
    """Where a service's commands put their events, inside their own transaction."""

    columns = ("topic", "key", "partition_key", "headers", "value")

    def __init__(self, table: Table, schema_base_url: str) -> None:
        self.table = table
        self.schema_base_url = schema_base_url

    def event(
        self, kind: Kind[Any], verb: str, state: State, partition_key: UUID | None = None
    ) -> Event:
        return events.happened(
            kind,
            verb,
            state,
            time=clock.now(),
            partition_key=partition_key,
            schema_base_url=self.schema_base_url,
            correlation_id=logs.correlation_id(),
            traceparent=tracing.current(),
        )

    def tombstone(
        self, kind: Kind[Any], ident: UUID, version: int, partition_key: UUID | None = None
    ) -> Event:
        return events.deleted(
            kind,
            ident,
            version,
            time=clock.now(),
            partition_key=partition_key,
            schema_base_url=self.schema_base_url,
            correlation_id=logs.correlation_id(),
            traceparent=tracing.current(),
        )

    async def add(self, tx: AsyncSession, *changes: Event) -> None:
        """Write events and wake the relay when the transaction commits."""
        if not changes:
            return
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows(changes)]
        await tx.execute(insert(self.table), rows)
        await self.wake(tx)

    async def copy(self, tx: AsyncSession, changes: Iterable[Event]) -> None:
        """The same for many events at once, by COPY."""
        raw = await db.driver(tx)
        await raw.copy_records_to_table(
            self.table.name, records=self.rows(changes), columns=list(self.columns)
        )
        await self.wake(tx)

    async def wake(self, tx: AsyncSession) -> None:
        await tx.execute(text(f"select pg_notify('{CHANNEL}', '')"))

    @staticmethod
    def rows(changes: Iterable[Event]) -> list[tuple[str, str, str, bytes, bytes | None]]:
        return [
            (
                e.topic,
                str(e.envelope.subject),
                e.envelope.partition_key,
                encode_headers(e.envelope.headers()),
                e.value,
            )
            for e in changes
        ]


def encode_headers(headers: Iterable[tuple[str, bytes]]) -> bytes:
    return msgspec.json.encode([(name, value.decode()) for name, value in headers])


class RelayMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.published = Metric(
            "nastavnik_outbox_published",
            "Events acknowledged by the broker",
            ["topic"],
            registry=registry,
        )
        self.failures = Metric(
            "nastavnik_outbox_failures", "Rounds of the relay that failed", registry=registry
        )
        self.leader = Gauge(
            "nastavnik_outbox_leader", "1 while this process relays", registry=registry
        )


class Relay:
    """Outbox → Kafka. Run any number of them; one at a time does the work."""

    def __init__(
        self,
        settings: Settings,
        sessions: db.Sessions,
        table: Table,
        metrics: RelayMetrics,
        *,
        batch: int = 2000,
        sweep_seconds: float = 0.5,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._table = table
        self._metrics = metrics
        self._batch = batch
        self._sweep = sweep_seconds
        self._wake = asyncio.Event()
        self._producer: AIOKafkaProducer | None = None
        self._heard = time.monotonic()
        self._busy = asyncio.Lock()
        self._ending = False
        self.connected = False

    async def check(self) -> None:
        """Ready: the broker took the last round, and answers now.

        A round without events never asks it, and one with events may wait long for its answer.
        """
        producer = self._producer
        if not self.connected or producer is None:
            raise RuntimeError("not connected to Kafka; events wait in the outbox")
        if not await producer.client.force_metadata_update():
            raise RuntimeError("Kafka does not answer; events wait in the outbox")

    async def run(self) -> None:
        """Until cancelled. Failures delay, with backoff; they never lose an event."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._drop_producer)
            listener = asyncio.create_task(self._listen())
            stack.callback(listener.cancel)
            pause = 0.0
            while True:
                try:
                    async with self._busy:
                        moved = 0 if self._ending else await self._round()
                    await self._probe(bool(moved))
                    pause = 0.0
                except Exception as error:
                    pause = min(max(pause * 2, 0.25), 5.0)
                    await self._failed(error, pause)
                    await asyncio.sleep(pause)
                    continue
                if moved < self._batch:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), self._sweep)
                    self._wake.clear()

    async def end(self) -> None:
        """Let the round that runs be finished; no other begins."""
        self._ending = True
        async with self._busy:
            pass

    async def _probe(self, moved: bool) -> None:
        """Give up an idle producer whose broker does not answer: it would never notice that its
        connection is half-open, and so never make another."""
        now = time.monotonic()
        if moved or self._producer is None:
            self._heard = now
        elif now - self._heard > _PROBE_SECONDS:
            async with asyncio.timeout(_PROBE_SECONDS):
                if not await self._producer.client.force_metadata_update():
                    raise KafkaConnectionError("an idle producer's broker does not answer")
            self._heard = now

    async def _failed(self, error: Exception, pause: float) -> None:
        self.connected = False
        self._metrics.failures.inc()
        log.warning("relay round failed", error=f"{type(error).__name__}: {error}", retry_in=pause)
        await self._drop_producer()

    async def _round(self) -> int:
        """Move one batch. Returns how many events the broker acknowledged."""
        producer = await self._connected_producer()
        async with self._sessions.begin() as tx:
            leading = await tx.scalar(
                text("select pg_try_advisory_xact_lock(hashtext(:name))"), {"name": CHANNEL}
            )
            self._metrics.leader.set(int(bool(leading)))
            if not leading:
                return 0
            rows = (await tx.execute(_TAKE, {"batch": self._batch})).all()
            await self._publish(producer, rows)
        return len(rows)

    async def _publish(self, producer: AIOKafkaProducer, rows: Sequence[Any]) -> None:
        sent = []
        counts: dict[str, int] = {}
        for row in rows:
            if row.topic not in counts:
                counts[row.topic] = len(await producer.partitions_for(row.topic))
            sent.append(
                await producer.send(
                    row.topic,
                    row.value,
                    key=row.key.encode(),
                    partition=kafka.partition_for(row.partition_key, counts[row.topic]),
                    headers=[(n, v.encode()) for n, v in _HEADERS.decode(row.headers)],
                )
            )
        if sent:
            await asyncio.gather(*sent)
        for topic, count in Counter(row.topic for row in rows).items():
            self._metrics.published.labels(topic).inc(count)

    async def _connected_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            await kafka.ensure_topics(self._settings)
            producer = kafka.create_producer(self._settings, "nastavnik-relay")
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        self.connected = True
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(producer.stop(), 5)

    async def _listen(self) -> None:
        """Wake at once when a transaction with events commits; the sweep covers the rest."""
        while True:
            try:
                await db.listen(self._settings.database_url, CHANNEL, lambda _: self._wake.set())
            except Exception as error:
                log.debug("no wake-ups for now, the sweep goes on", error=str(error))
            await asyncio.sleep(1)


_TAKE = text(
    """
    with taken as (
        -- an array, not a join: an analysed, then filled outbox misleads the planner
        delete from outbox where id = any(array(select id from outbox order by id limit :batch))
        returning id, topic, key, partition_key, headers, value, created_at
    ), kept as (  -- in the change feed
        insert into change (topic, key, headers, value)
        select topic, key, headers, value
        from (select distinct on (topic, key) * from taken order by topic, key, id desc) newest
        order by id
        on conflict (topic, key) do update
        set seq = excluded.seq, headers = excluded.headers, value = excluded.value
    )
    select * from taken order by id
    """
)
