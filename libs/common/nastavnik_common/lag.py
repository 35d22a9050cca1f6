"""How far a consumer is behind the log: its position against the log's end, asked beside it.

A consumer that is stuck, stopped or dead does not know its own lag. This one does.
"""

from collections.abc import Awaitable, Callable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry

from nastavnik_common import kafka
from nastavnik_common.settings import Settings
from nastavnik_common.telemetry import Reading

Positions = Callable[[], Awaitable[Mapping[TopicPartition, int]]]
"""The next offset of each partition that is consumed, of all replicas together."""


class LagWatch:
    def __init__(
        self, registry: CollectorRegistry, settings: Settings, consumer: str, positions: Positions
    ) -> None:
        self._settings = settings
        self._name = consumer
        self._positions = positions
        self._client: AIOKafkaConsumer | None = None
        self._lag = Reading(
            registry,
            "nastavnik_consumer_lag_records",
            "Offsets between what is consumed, by all replicas, and the end of the log",
            ["consumer", "topic", "partition"],
        )

    async def read(self) -> None:
        positions = await self._positions()
        try:
            client = await self._connected()
            ends = await client.end_offsets(list(positions)) if positions else {}
        except BaseException:
            await self.close()
            raise
        self._lag.replace(
            {
                (self._name, at.topic, str(at.partition)): max(end - positions[at], 0)
                for at, end in ends.items()
            }
        )

    async def _connected(self) -> AIOKafkaConsumer:
        if self._client is None:
            self._client = kafka.create_consumer(self._settings, None)
            await self._client.start()
        return self._client

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await kafka.stop(client)
