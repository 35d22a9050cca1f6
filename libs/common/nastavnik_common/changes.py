"""The change feed: the newest event of every aggregate, in the order in which they were published.

The relay is the only writer, one at a time under the leader's lock, in the transaction that takes
an event from the outbox and publishes it. So places in the feed are given out in the order of
commits: a reader that has seen place n has seen all there will ever be up to n, or a newer state of
the same aggregate comes later. What commits late gets a late place. And what the feed says is on
the topics, too.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.errors import DomainError
from nastavnik_common.paging import decode_cursor, encode_cursor

_headers = msgspec.json.Decoder(list[tuple[str, str]])
_NOTHING = msgspec.Raw(b"null")


def change_table(metadata: MetaData) -> Table:
    """Compacted like the topics: one row per aggregate, deleted ones included."""
    return Table(
        "change",
        metadata,
        Column("topic", String, primary_key=True),
        Column("key", String, primary_key=True),
        Column("seq", BigInteger, Identity(), nullable=False),
        Column("headers", LargeBinary, nullable=False),
        Column("value", LargeBinary, nullable=True),
        Index("change_place", "topic", "seq"),
    )


KEEP = """
    insert into change (topic, key, headers, value)
    select topic, key, headers, value
    from (select distinct on (topic, key) * from taken order by topic, key, id desc) as newest
    order by id
    on conflict (topic, key) do update
    set seq = excluded.seq, headers = excluded.headers, value = excluded.value
"""
"""Keeps the newest of the events in ``taken``, rows of an outbox, at the feed's end."""


class Changes(NamedTuple):
    """Events as CloudEvents in structured JSON, not yet encoded."""

    items: list[dict[str, Any]]
    next_cursor: str
    more: bool


async def read(tx: AsyncSession, topics: Sequence[str], cursor: str | None, limit: int) -> Changes:
    """What comes after the cursor, from the beginning without one.

    DomainError ``cursor.expired`` (410) when the cursor belongs to another life of the database:
    it was restored, or failed over, and what was seen may never have been.
    """
    log = await tx.scalar(_LOG)
    after = 0
    if cursor is not None:
        theirs, after = decode_cursor(cursor, tuple[str, int])
        if theirs != log:
            raise DomainError(
                "cursor.expired",
                "The cursor is from before a restore of the database. Begin again without one.",
                status=410,
            )
    given = {"topics": list(topics), "after": min(max(after, 0), 2**63 - 1), "limit": limit + 1}
    rows = (await tx.execute(_READ, given)).all()
    page = rows[:limit]
    place = page[-1].seq if page else after
    return Changes(
        [structured(row.headers, row.value) for row in page],
        encode_cursor(log, place),
        len(rows) > limit,
    )


def structured(headers: bytes, value: bytes | None) -> dict[str, Any]:
    """Stored headers and value → CloudEvent in structured JSON; ``data`` is null in a tombstone."""
    event: dict[str, Any] = {
        "datacontenttype" if name == "content-type" else name.removeprefix("ce_"): text
        for name, text in _headers.decode(headers)
    }
    event["data"] = _NOTHING if value is None else msgspec.Raw(value)
    return event


# What makes a log another one: another cluster, another timeline of it, another database in it.
_LOG = text(
    """
    select concat_ws('.', s.system_identifier, c.timeline_id, d.oid)
    from pg_control_system() s, pg_control_checkpoint() c, pg_database d
    where d.datname = current_database()
    """
)
_READ = text(
    """
    select change.seq, change.headers, change.value
    from unnest(cast(:topics as text[])) as wanted(topic)
    cross join lateral (
        select * from change
        where change.topic = wanted.topic and change.seq > :after
        order by change.seq limit :limit
    ) as change
    order by change.seq limit :limit
    """
)
