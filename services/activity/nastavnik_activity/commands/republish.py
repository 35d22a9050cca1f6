"""Current states put into the outbox again: for a lost topic, or a consumer without history."""

from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity import tables
from nastavnik_activity.tables import Mentorship, Session, Sort
from nastavnik_common.events import MENTORSHIP, SESSION, Event
from nastavnik_common.outbox import Outbox

CHUNK = 2000
KINDS = ("mentorship", "session", *tables.SORTS)


async def chunk(
    tx: AsyncSession, outbox: Outbox, kind: str, after: Any | None
) -> tuple[int, Any | None]:
    """The next CHUNK aggregates above the id: how many, and the last id, None at the end.

    The rows are locked, so that no newer state gets into the outbox before an older one:
    a compacted topic would keep the older.
    """
    table, names, make = _source(kind)
    statement = select(*(getattr(table, name) for name in (*names, "deleted")))
    if after is not None:
        statement = statement.where(col(table.id) > after)
    rows = (
        await tx.execute(statement.order_by(col(table.id)).limit(CHUNK).with_for_update(read=True))
    ).all()
    if rows:
        await outbox.copy(tx, (make(outbox, row) for row in rows))
    return len(rows), rows[-1].id if len(rows) == CHUNK else None


def _source(
    kind: str,
) -> tuple[Any, tuple[str, ...], Callable[[Outbox, Any], Event]]:
    """Table and columns of a kind, and how its rows become events."""
    if kind == "mentorship":
        return Mentorship, tables.MENTORSHIP_COLUMNS, _mentorship
    if kind == "session":
        return Session, tables.SESSION_COLUMNS, _session
    sort = tables.SORTS[kind]
    return sort.table, sort.columns, partial(_record, sort)


def _mentorship(outbox: Outbox, row: Any) -> Event:
    if row.deleted:
        return outbox.tombstone(MENTORSHIP, row.id, row.version)
    verb = "changed"
    if row.version == 1:
        verb = "activated" if row.period_since else "drafted"
    return outbox.event(MENTORSHIP, verb, tables.mentorship_state(row))


def _session(outbox: Outbox, row: Any) -> Event:
    if row.deleted:
        return outbox.tombstone(SESSION, row.id, row.version, row.mentorship_id)
    verb = "logged" if row.version == 1 else "corrected"
    if row.status == "voided":
        verb = "voided"
    return outbox.event(SESSION, verb, tables.session_state(row), partition_key=row.mentorship_id)


def _record(sort: Sort[Any], outbox: Outbox, row: Any) -> Event:
    state = sort.state(row)
    partition = sort.partition(state)
    if row.deleted:
        return outbox.tombstone(sort.kind, row.id, row.version, partition)
    verb = sort.first(state) if row.version == 1 else "corrected"
    if row.status == "voided":
        verb = "voided"
    return outbox.event(sort.kind, verb, state, partition)
