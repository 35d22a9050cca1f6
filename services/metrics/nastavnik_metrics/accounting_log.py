"""The recount: every record that is in the log below the positions, and what became of it."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import TopicPartition

from nastavnik_common.events import BY_TOPIC
from nastavnik_common.events.reading import UnreadableError, read
from nastavnik_metrics import rebuild_log
from nastavnik_metrics.settings import MetricsSettings


class Recount(NamedTuple):
    """Of one partition: records there, how many were accounted for, and those of which nothing
    stored can tell."""

    present: int = 0
    accounted: int = 0
    missing: int = 0


async def recount(settings: MetricsSettings, connection: Any) -> dict[TopicPartition, Recount]:
    """Reads the whole log up to the positions."""
    rows = await rebuild_log.stored_positions(connection)
    if not rows:
        return {}  # nothing was ever read; a reader of no partitions would wait for ever
    await rebuild_log.targets(settings, rows)
    ends = {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
    accounted = {at: accounts(row) for at, row in zip(ends, rows, strict=True)}
    present: Counter[TopicPartition] = Counter()
    missing: Counter[TopicPartition] = Counter()
    async with rebuild_log.opened(settings, list(ends)) as reader:
        async for polled in reader.read(ends):
            for at, records in polled.items():
                present[at] += len(records)
                missing[at] += await _missing(connection, at, records)
    return {at: Recount(present[at], accounted[at], missing[at]) for at in ends}


def accounts(row: Any) -> int:
    return int(row["applied"] + row["superseded"] + row["parked"] + row["skipped"])


async def _missing(connection: Any, at: TopicPartition, records: Iterable[Any]) -> int:
    """Records whose state is not stored at their version or a newer one, and which are neither
    parked nor of a type that is skipped."""
    versions: list[tuple[UUID, int]] = []
    poison: list[int] = []
    for record in records:
        try:
            reading = read(record)
        except UnreadableError:
            poison.append(record.offset)
            continue
        if reading is not None:
            versions.append((reading.envelope.subject, reading.envelope.version))
    return await _unknown(connection, at, versions) + await _unparked(connection, at, poison)


async def _unknown(connection: Any, at: TopicPartition, versions: list[tuple[UUID, int]]) -> int:
    table = BY_TOPIC[at.topic].name
    return int(
        await connection.fetchval(
            f"""select count(*) from unnest($1::uuid[], $2::int[]) as n(id, version)
                left join {table} t on t.id = n.id
                where t.id is null or t.version < n.version""",  # noqa: S608 -- our names
            [ident for ident, _ in versions],
            [version for _, version in versions],
        )
    )


async def _unparked(connection: Any, at: TopicPartition, offsets: list[int]) -> int:
    if not offsets:
        return 0
    parked = await connection.fetchval(
        """select count(distinct "offset") from dead_letter
           where topic = $1 and partition = $2 and "offset" = any($3)""",
        at.topic,
        at.partition,
        offsets,
    )
    return len(offsets) - int(parked)
