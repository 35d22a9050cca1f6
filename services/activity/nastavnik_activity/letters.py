"""Dead letters, applied after all: one record the way the consumer applies a batch."""

from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity import replica
from nastavnik_common.events.reading import Record, UnreadableError, read

TOPICS = tuple(kind.topic for kind in replica.KINDS)


async def apply(tx: AsyncSession, record: Record) -> bool:
    """False: the same or a newer version was known. UnreadableError, where a batch would park."""
    if record.topic not in TOPICS:
        raise UnreadableError("event.unknown_topic", "the topic is not read by this version")
    if read(record) is None:
        raise UnreadableError("event.unknown_type", "the type is not known to this version")
    done = await replica.apply(tx, [record])
    return done.outcomes[record.topic, "applied"] > 0
