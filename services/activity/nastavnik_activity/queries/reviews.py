"""Sessions that wait for review."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity.queries import pages
from nastavnik_activity.tables import SessionReview

_COLUMNS = [
    getattr(SessionReview, name)
    for name in (
        "id",
        "mentorship_id",
        "organization_id",
        "asked",
        "overlaps",
        "status",
        "reason",
        "created_at",
        "resolved_at",
    )
]


async def page(
    tx: AsyncSession,
    *,
    limit: int,
    cursor: str | None,
    status: str | None,
    mentorship_id: UUID | None,
    organization_id: UUID | None,
) -> tuple[list[Any], str | None]:
    statement = select(*_COLUMNS)
    for column, value in (
        (col(SessionReview.status), status),
        (col(SessionReview.mentorship_id), mentorship_id),
        (col(SessionReview.organization_id), organization_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    rows, more = await pages.page(tx, statement, col(SessionReview.id), limit, cursor)
    return list(rows), more
