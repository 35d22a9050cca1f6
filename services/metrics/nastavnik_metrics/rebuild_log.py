"""The log from its beginning, read by nobody's group and past nobody's position."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from nastavnik_common import kafka
from nastavnik_common.errors import ConflictError
from nastavnik_metrics.batch import TOPICS
from nastavnik_metrics.settings import MetricsSettings

POLL_MS = 200
QUIET_POLLS = 25
Polled = dict[TopicPartition, list[Any]]


class LogReader:
    """Reads partitions of our topics up to given offsets, on and on."""

    def __init__(
        self, consumer: AIOKafkaConsumer, starts: Mapping[TopicPartition, int], size: int
    ) -> None:
        self._consumer = consumer
        self._size = size
        self.starts = starts
        self.next = dict(starts)

    def left(self, targets: Mapping[TopicPartition, int]) -> int:
        """Offsets up to the targets; with compaction there may be fewer records."""
        return sum(max(end - self.next[at], 0) for at, end in targets.items())

    async def read(self, targets: Mapping[TopicPartition, int]) -> AsyncIterator[Polled]:
        """Records below the targets that were not read yet, poll by poll.

        Compaction may have taken the last records below a target, and then nothing more comes:
        after some seconds without any the rest counts as read. Should that be wrong, what is
        missing is found when the result is compared.
        """
        quiet = 0
        while behind := [at for at, end in targets.items() if self.next[at] < end]:
            polled = await self._consumer.getmany(
                *behind, timeout_ms=POLL_MS, max_records=self._size
            )
            found = {at: self._below(at, targets[at], records) for at, records in polled.items()}
            for at in behind:
                self.next[at] = max(self.next[at], await self._consumer.position(at))
            quiet = 0 if polled else quiet + 1
            if quiet >= QUIET_POLLS:
                self._at_end(behind, targets)
            if any(found.values()):
                yield found

    def _below(self, at: TopicPartition, target: int, records: list[Any]) -> list[Any]:
        if records and records[-1].offset >= target:
            self._consumer.seek(at, target)
        return [record for record in records if record.offset < target]

    def _at_end(self, behind: list[TopicPartition], targets: Mapping[TopicPartition, int]) -> None:
        for at in behind:
            if (self._consumer.highwater(at) or 0) >= targets[at]:
                self.next[at] = targets[at]


@contextlib.asynccontextmanager
async def opened(
    settings: MetricsSettings, wanted: list[TopicPartition]
) -> AsyncIterator[LogReader]:
    async with _consumer(settings) as consumer:
        starts = await consumer.beginning_offsets(wanted) if wanted else {}
        consumer.assign(wanted)
        for at, offset in starts.items():
            consumer.seek(at, offset)
        yield LogReader(consumer, starts, settings.batch_records)


async def extents(
    settings: MetricsSettings, wanted: list[TopicPartition]
) -> dict[TopicPartition, tuple[int, int]]:
    """First offset, and the one after the last, of each partition."""
    if not wanted:
        return {}
    async with _consumer(settings) as consumer:
        starts = await consumer.beginning_offsets(wanted)
        ends = await consumer.end_offsets(wanted)
    return {at: (starts[at], ends[at]) for at in wanted}


@contextlib.asynccontextmanager
async def _consumer(settings: MetricsSettings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = kafka.create_consumer(settings, None)
    try:
        await consumer.start()
        yield consumer
    finally:
        await kafka.stop(consumer)


async def stored_positions(connection: Any, *, lock: bool = False) -> list[Any]:
    """Rows of `stream_position`, locked in the projector's order if asked to."""
    rows = await connection.fetch(
        f"""select * from stream_position where topic = any($1)
            order by topic, partition {"for update" if lock else ""}""",  # noqa: S608
        list(TOPICS),
    )
    return list(rows)


async def targets(
    settings: MetricsSettings, rows: list[Any]
) -> dict[TopicPartition, tuple[int, int]]:
    """Extents of the partitions that have positions; refused if the log is not theirs."""
    wanted = [TopicPartition(row["topic"], row["partition"]) for row in rows]
    cluster = await kafka.cluster_id(settings)
    found = await extents(settings, wanted)
    for at, row in zip(wanted, rows, strict=True):
        if row["cluster_id"] != cluster or row["next_offset"] > found[at][1]:
            raise ConflictError(
                "rebuild.another_log", f"The figures were not counted from this log: {at}."
            )
    return found
