"""Pages of a list, by keyset."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.auth_scope import reach
from nastavnik_common.paging import decode_cursor, encode_cursor


async def page(
    tx: AsyncSession, statement: Select[Any], ident: Any, limit: int, cursor: str | None
) -> tuple[Sequence[Any], str | None]:
    """Of what the caller may see; `ident` is the id of a table whose rows belong to units."""
    statement = statement.where(reach().within(ident.class_.organization_id))
    if cursor is not None:
        statement = statement.where(ident > decode_cursor(cursor, tuple[UUID])[0])
    rows = (await tx.execute(statement.order_by(ident).limit(limit + 1))).all()
    more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return rows[:limit], more
