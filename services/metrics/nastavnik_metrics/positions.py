"""Positions: how far each partition is in the figures."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from nastavnik_common import db, logs
from nastavnik_metrics.batch import Tally

log = logs.logger(__name__)
Lags = Callable[[], Mapping[tuple[str, int], int]]
"""Records not yet read by this process, by topic and partition."""


async def load(
    connection: Any, consumer: AIOKafkaConsumer, cluster: str, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """Where to go on, for newly assigned partitions; new ones start at 0.

    A log that is not the one the position belongs to (another cluster, or an end before the
    position: the topic was lost or made anew) is read from its start. Versions make what is
    read again harmless.
    """
    wanted = sorted(partitions)
    if not wanted:
        return {}
    await connection.execute(
        """insert into stream_position
             (topic, partition, cluster_id, next_offset, applied, superseded, parked, skipped)
           select t, p, $3, 0, 0, 0, 0, 0 from unnest($1::text[], $2::int[]) as n(t, p)
           on conflict do nothing""",
        *db.columns([(tp.topic, tp.partition) for tp in wanted], 2),
        cluster,
    )
    ends = await consumer.end_offsets(wanted)
    found = {}
    for row in await connection.fetch("select * from stream_position"):
        partition = TopicPartition(row["topic"], row["partition"])
        if partition not in ends:
            continue
        found[partition] = row["next_offset"]
        if row["cluster_id"] != cluster or row["next_offset"] > ends[partition]:
            log.warning("another log, reading it from the start", partition=str(partition))
            await _restart(connection, partition, cluster)
            found[partition] = 0
    return found


async def _restart(connection: Any, partition: TopicPartition, cluster: str) -> None:
    await connection.execute(
        """update stream_position set next_offset = 0, cluster_id = $3, watermark = null
           where topic = $1 and partition = $2""",
        partition.topic,
        partition.partition,
        cluster,
    )


async def lock(connection: Any, partitions: Iterable[TopicPartition]) -> dict[tuple[str, int], int]:
    """Lock the positions in order, and read them: the fence against a zombie."""
    rows = await connection.fetch(
        """select topic, partition, next_offset from stream_position
           where (topic, partition) in (select * from unnest($1::text[], $2::int[]))
           order by topic, partition for update""",
        *db.columns([(tp.topic, tp.partition) for tp in partitions], 2),
    )
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def save(connection: Any, tallies: Mapping[tuple[str, int], Tally]) -> None:
    rows = [
        (*at, t.next_offset, t.applied, t.superseded, t.parked, t.skipped)
        for at, t in sorted(tallies.items())
    ]
    await connection.execute(
        """update stream_position as stored
           set next_offset = n.o, applied = applied + n.a, superseded = superseded + n.s,
               parked = parked + n.x, skipped = skipped + n.k
           from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[],
                       $6::bigint[], $7::bigint[]) as n(t, p, o, a, s, x, k)
           where stored.topic = n.t and stored.partition = n.p""",
        *db.columns(rows, 7),
    )


async def complete(connection: Any, partitions: Iterable[TopicPartition], moment: datetime) -> None:
    """Say that everything up to the moment is in the figures, for partitions read to the end."""
    await connection.execute(
        """update stream_position as stored set watermark = $3
           from (select * from unnest($1::text[], $2::int[]) as n(t, p) order by t, p) as n
           where stored.topic = n.t and stored.partition = n.p""",
        *db.columns([(tp.topic, tp.partition) for tp in partitions], 2),
        moment,
    )


async def lags(consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
    """Records not yet read, of the partitions whose end is known."""
    found = {}
    for partition in consumer.assignment():
        end = consumer.highwater(partition)
        if end is not None:
            found[partition] = max(end - await consumer.position(partition), 0)
    return found
