"""Records from Kafka, read and decoded; while a batch is folded, the next, if there is much."""

import asyncio
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from nastavnik_metrics import positions
from nastavnik_metrics.batch import Read, read_all

WAIT_MS = 100
IN_PLACE = 200
"""So few records are decoded faster than a thread could be asked to."""


class Polled(NamedTuple):
    reads: dict[TopicPartition, list[Read]]
    lags: dict[TopicPartition, int]
    """Records not yet folded, those polled included."""
    turn: int


class Poller:
    def __init__(self, consumer: AIOKafkaConsumer, records: int) -> None:
        self._consumer = consumer
        self._records = records
        self._ahead: asyncio.Task[Polled] | None = None
        self._turn = 0

    async def next(self) -> Polled:
        """The next records. After a full batch more are waiting: those are fetched and decoded
        while the caller is at work. Without that a batch would only become smaller."""
        turn = self._turn
        polling = self._ahead or asyncio.create_task(self._poll())
        self._ahead = polling
        try:
            await asyncio.wait({polling})
        finally:
            polling.cancel()
        if turn != self._turn:
            return Polled({}, {}, self._turn)
        self._ahead = None
        polled = polling.result()
        if sum(map(len, polled.reads.values())) >= max(self._records // 2, 1):
            self._ahead = asyncio.create_task(self._poll())
        return polled

    @property
    def ahead(self) -> bool:
        """Whether records may have been taken that `next` has not returned."""
        return self._ahead is not None

    def valid(self, polled: Polled) -> bool:
        """Whether nothing has been dropped since: what was polled before may be of another log."""
        return polled.turn == self._turn

    def drop(self) -> None:
        """Forget what was read: the consumer has been told to go on elsewhere."""
        self._turn += 1
        if self._ahead is not None:
            self._ahead.cancel()
            self._ahead = None

    async def _poll(self) -> Polled:
        turn = self._turn
        polled = await self._consumer.getmany(timeout_ms=WAIT_MS, max_records=self._records)
        lags = await positions.lags(self._consumer)
        for partition, records in polled.items():
            lags[partition] = lags.get(partition, 0) + len(records)
        return Polled(await _decoded(polled), lags, turn)


async def _decoded(
    polled: dict[TopicPartition, list[Any]],
) -> dict[TopicPartition, list[Read]]:
    if sum(map(len, polled.values())) <= IN_PLACE:
        return _decode(polled)
    return await asyncio.to_thread(_decode, polled)  # the database is waited for meanwhile


def _decode(polled: dict[TopicPartition, list[Any]]) -> dict[TopicPartition, list[Read]]:
    return {partition: read_all(records) for partition, records in polled.items()}
