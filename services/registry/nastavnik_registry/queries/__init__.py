"""What is read from the registry. Lists page by id, so nothing is skipped while rows change."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.auth_scope import reach
from nastavnik_common.paging import decode_cursor, encode_cursor
from nastavnik_registry.tables import ConsentRow, OrgUnit, Person, PersonMembership


async def page(
    tx: AsyncSession, model: Any, query: Select[Any], limit: int, cursor: str | None
) -> tuple[list[Any], str | None]:
    """The rows after the cursor, and the next cursor, of those that the caller may see."""
    query = query.where(_within(model))
    if cursor is not None:
        (last,) = decode_cursor(cursor, tuple[UUID])
        query = query.where(col(model.id) > last)
    rows = list((await tx.execute(query.order_by(col(model.id)).limit(limit + 1))).scalars())
    more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return rows[:limit], more


def _within(model: Any) -> ColumnElement[bool]:
    """That a row belongs to a unit within the caller's reach; a person does by any membership."""
    found = reach()
    if model is OrgUnit:
        return found.within(col(OrgUnit.id))
    if model in (Person, ConsentRow):
        person = Person.id if model is Person else ConsentRow.participant_id
        if found.units is None:
            return true()
        return exists().where(
            col(PersonMembership.participant_id) == person,
            found.within(col(PersonMembership.organization_id)),
        )
    return found.within(col(model.organization_id))


def containing(text: str) -> str:
    """An ILIKE pattern for text that stands anywhere; its own wildcards are letters."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
