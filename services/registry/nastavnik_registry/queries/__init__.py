"""What is read from the registry. Lists page by id, so nothing is skipped while rows change."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.paging import decode_cursor, encode_cursor


async def page(
    tx: AsyncSession, model: Any, query: Select[Any], limit: int, cursor: str | None
) -> tuple[list[Any], str | None]:
    """The rows after the cursor, and the next cursor."""
    if cursor is not None:
        (last,) = decode_cursor(cursor, tuple[UUID])
        query = query.where(col(model.id) > last)
    rows = list((await tx.execute(query.order_by(col(model.id)).limit(limit + 1))).scalars())
    more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return rows[:limit], more


def containing(text: str) -> str:
    """An ILIKE pattern for text that stands anywhere; its own wildcards are letters."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
