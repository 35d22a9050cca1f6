"""Reads of imports."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.errors import NotFoundError
from nastavnik_common.paging import Page, decode_cursor, encode_cursor
from nastavnik_registry import bodies
from nastavnik_registry.tables import ImportJob


def body(row: ImportJob) -> bodies.Import:
    return bodies.Import.model_validate(
        {
            **row.model_dump(exclude={"size_bytes", "attempts", "phase", "done", "total"}),
            "progress": {"phase": row.phase, "done": row.done, "total": row.total},
        }
    )


async def one(tx: AsyncSession, ident: UUID) -> bodies.Import:
    row = await tx.get(ImportJob, ident)
    if row is None:
        raise NotFoundError("import", ident)
    return body(row)


async def many(
    tx: AsyncSession,
    limit: int,
    cursor: str | None,
    *,
    source: str | None = None,
    status: str | None = None,
) -> Page[bodies.Import]:
    """The newest first."""
    created, ident = col(ImportJob.created_at), col(ImportJob.id)
    query = select(ImportJob)
    if source is not None:
        query = query.where(col(ImportJob.source) == source)
    if status is not None:
        query = query.where(col(ImportJob.status) == status)
    if cursor is not None:
        last = decode_cursor(cursor, tuple[Annotated[datetime, Meta(tz=True)], UUID])
        query = query.where(tuple_(created, ident) < last)
    query = query.order_by(created.desc(), ident.desc()).limit(limit + 1)
    rows = list((await tx.execute(query)).scalars())
    more = None
    if len(rows) > limit:
        more = encode_cursor(rows[limit - 1].created_at, rows[limit - 1].id)
    return Page(items=[body(row) for row in rows[:limit]], next_cursor=more)
