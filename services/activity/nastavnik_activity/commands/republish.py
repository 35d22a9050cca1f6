"""Current states put into the outbox again: for a lost topic, or a consumer without history."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity import tables
from nastavnik_activity.tables import Mentorship, Session
from nastavnik_common.events import MENTORSHIP, SESSION, Event
from nastavnik_common.outbox import Outbox

CHUNK = 2000


async def chunk(
    tx: AsyncSession, outbox: Outbox, kind: str, after: Any | None
) -> tuple[int, Any | None]:
    """The next CHUNK aggregates above the id: how many, and the last id, None at the end.

    The rows are locked, so that no newer state gets into the outbox before an older one:
    a compacted topic would keep the older.
    """
    table = Mentorship if kind == "mentorship" else Session
    names = tables.MENTORSHIP_COLUMNS if kind == "mentorship" else tables.SESSION_COLUMNS
    statement = select(*(getattr(table, name) for name in (*names, "deleted")))
    if after is not None:
        statement = statement.where(col(table.id) > after)
    rows = (
        await tx.execute(statement.order_by(col(table.id)).limit(CHUNK).with_for_update(read=True))
    ).all()
    if rows:
        make = _mentorship if kind == "mentorship" else _session
        await outbox.copy(tx, (make(outbox, row) for row in rows))
    return len(rows), rows[-1].id if len(rows) == CHUNK else None


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
