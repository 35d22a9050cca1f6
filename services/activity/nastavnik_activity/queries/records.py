"""Surveys, assessments, contributions and gatherings."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity.domain.questionnaires import Answer
from nastavnik_activity.domain.records import S
from nastavnik_activity.queries import pages
from nastavnik_activity.tables import Sort, Survey
from nastavnik_common.errors import NotFoundError


async def one(tx: AsyncSession, sort: Sort[S], ident: UUID) -> S:
    table = sort.table
    columns = [getattr(table, name) for name in sort.columns]
    statement = select(*columns).where(col(table.id) == ident, col(table.deleted).is_(False))
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise NotFoundError(sort.kind.name, ident)
    return sort.state(row)


async def page(
    tx: AsyncSession,
    sort: Sort[S],
    *,
    limit: int,
    cursor: str | None,
    equal: Mapping[str, Any],
    since: date | None = None,
    until: date | None = None,
) -> tuple[list[S], str | None]:
    """`equal`: values of columns, None for any. Days from `since` on, and before `until`."""
    table: Any = sort.table
    columns = [getattr(table, name) for name in sort.columns]
    statement = select(*columns).where(col(table.deleted).is_(False))
    for name, value in equal.items():
        if value is not None:
            statement = statement.where(getattr(table, name) == value)
    if since is not None:
        statement = statement.where(table.day >= since)
    if until is not None:
        statement = statement.where(table.day < until)
    rows, more = await pages.page(tx, statement, col(table.id), limit, cursor)
    return [sort.state(row) for row in rows], more


async def answers(tx: AsyncSession, ident: UUID) -> tuple[int, list[Answer]]:
    """Of a survey: its version, and what was answered."""
    columns = col(Survey.version), col(Survey.answer_items), col(Survey.answer_values)
    statement = select(*columns).where(col(Survey.id) == ident, col(Survey.deleted).is_(False))
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise NotFoundError("survey", ident)
    pairs = zip(row.answer_items, row.answer_values, strict=True)
    return row.version, [Answer(item=item, value=value) for item, value in pairs]
