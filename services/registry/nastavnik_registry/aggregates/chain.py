"""The chain over the trace: each link's hash is of the link before and of its entry.

Entries are written without waiting for one another and chained soon after, in one order, under a
lock. Who changes or removes an entry, or links but the last, breaks the chain; that the last ones
are missing shows against heads kept elsewhere: in acts of destruction, in the log.
"""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

CHUNK = 2000
_FIRST = b"\0" * 32
_ENTRY = (
    "e.id, e.at, e.actor, e.action, e.route, e.subjects, e.categories, e.correlation_id, e.cause"
)
_encode = msgspec.json.Encoder().encode


class Head(NamedTuple):
    """The last link; of an empty chain 0 and zeros."""

    seq: int
    hash: bytes


class Fault(NamedTuple):
    """`what`: entry_changed, entry_removed, link_removed, entry_not_chained, head_differs.
    `seq` of the link, null where there is none; `entry_id` where it is known."""

    seq: int | None
    entry_id: int | None
    what: str


def linked(before: bytes, entry: Any) -> bytes:
    """The hash of the link after `before`. `entry`: the columns of _ENTRY."""
    ident, at, actor, action, route, subjects, categories, correlation, cause = entry
    when = at.astimezone(UTC).isoformat()
    fields = (ident, when, actor, action, route, subjects, categories, correlation, cause)
    return hashlib.sha256(before + _encode(fields)).digest()


async def head(tx: AsyncSession) -> Head:
    row = (await tx.execute(_HEAD)).one_or_none()
    return Head(row.seq, row.hash) if row else Head(0, _FIRST)


async def seal(tx: AsyncSession) -> Head:
    """Chain what has been committed and is not chained; the head after."""
    await tx.execute(_LOCK)
    last = await head(tx)
    while rows := (await tx.execute(_PENDING, {"limit": CHUNK})).all():
        links = []
        for row in rows:
            last = Head(last.seq + 1, linked(last.hash, tuple(row)))
            links.append({"seq": last.seq, "entry": row.id, "hash": last.hash})
        await tx.execute(_LINK, links)
        await tx.execute(_DONE, {"ids": [row.id for row in rows]})
    return last


async def faults(tx: AsyncSession) -> AsyncIterator[Fault]:
    """Everything wrong with the chain, from its beginning."""
    seq, before = 0, _FIRST
    while rows := (await tx.execute(_LINKS, {"after": seq, "limit": CHUNK})).all():
        for number, entry_id, stored, *entry in rows:
            for missing in range(seq + 1, number):
                yield Fault(missing, None, "link_removed")
            if entry[0] is None:
                yield Fault(number, entry_id, "entry_removed")
            elif number == seq + 1 and linked(before, entry) != stored:
                yield Fault(number, entry_id, "entry_changed")
            seq, before = number, stored
    for (ident,) in await tx.execute(_LOOSE):
        yield Fault(None, ident, "entry_not_chained")
    for act in await tx.execute(_ANCHORS):
        yield Fault(act.head_seq, None, "head_differs")


async def has(tx: AsyncSession, known: Head) -> bool:
    """Whether a head kept elsewhere is in the chain."""
    found = (await tx.execute(_AT, {"seq": known.seq})).scalar_one_or_none()
    return known == Head(0, _FIRST) or found == known.hash


_LOCK = text("select pg_advisory_xact_lock(hashtextextended('personal_trace', 13))")
_HEAD = text("select seq, hash from personal_trace_link order by seq desc limit 1")
_AT = text("select hash from personal_trace_link where seq = :seq")
_PENDING = text(
    f"""
    select {_ENTRY} from personal_trace_pending p join personal_trace e on e.id = p.entry_id
    order by e.id limit :limit
    """  # noqa: S608 -- names of columns
)
_LINK = text("insert into personal_trace_link (seq, entry_id, hash) values (:seq, :entry, :hash)")
_DONE = text("delete from personal_trace_pending where entry_id = any(:ids)")
_LINKS = text(
    f"""
    select l.seq, l.entry_id, l.hash, {_ENTRY} from personal_trace_link l
    left join personal_trace e on e.id = l.entry_id
    where l.seq > :after order by l.seq limit :limit
    """  # noqa: S608 -- names of columns
)
_LOOSE = text(
    """
    select e.id from personal_trace e
    where not exists (select from personal_trace_link l where l.entry_id = e.id)
      and not exists (select from personal_trace_pending p where p.entry_id = e.id)
    union all
    select p.entry_id from personal_trace_pending p
    where not exists (select from personal_trace e where e.id = p.entry_id)
    """
)
_ANCHORS = text(
    """
    select a.head_seq from destruction_act a
    left join personal_trace_link l on l.seq = a.head_seq
    where a.head_seq > 0 and l.hash is distinct from a.head_hash
    """
)
