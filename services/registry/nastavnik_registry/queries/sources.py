"""Reads of the sources that imports come from."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.errors import NotFoundError
from nastavnik_common.paging import Page, decode_cursor, encode_cursor
from nastavnik_registry import bodies
from nastavnik_registry.aggregates.imports import source_body as body
from nastavnik_registry.tables import ImportSource


async def one(tx: AsyncSession, code: str) -> bodies.ImportSource:
    row = await tx.get(ImportSource, code)
    if row is None:
        raise NotFoundError("import_source", code)
    return body(row)


async def many(tx: AsyncSession, limit: int, cursor: str | None) -> Page[bodies.ImportSource]:
    code = col(ImportSource.code)
    query = select(ImportSource)
    if cursor is not None:
        (last,) = decode_cursor(cursor, tuple[str])
        query = query.where(code > last)
    rows = list((await tx.execute(query.order_by(code).limit(limit + 1))).scalars())
    more = encode_cursor(rows[limit - 1].code) if len(rows) > limit else None
    return Page(items=[body(row) for row in rows[:limit]], next_cursor=more)
