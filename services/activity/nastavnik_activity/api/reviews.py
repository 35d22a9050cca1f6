"""Routes of sessions that may be duplicates."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.api.fields import Body, Reason
from nastavnik_activity.api.service import Wired
from nastavnik_activity.api.views import AttendanceView
from nastavnik_activity.commands import reviews as commands
from nastavnik_activity.domain.sessions import NewSession
from nastavnik_activity.queries import reviews as queries
from nastavnik_common import clock
from nastavnik_common.events.activity import Audience, Technology
from nastavnik_common.examples import example
from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_common.writing import Reply

router = APIRouter(tags=["sessions"])
Status = Literal["open", "kept", "voided", "corrected"]


class AskedView(BaseModel):
    """The session as the journal told of it."""

    status: Literal["held", "cancelled"]
    starts_at: AwareDatetime
    date: date
    duration_minutes: int
    technology: Technology | None
    audience: list[Audience]
    attendance: list[AttendanceView] | None = Field(description="null: everyone came")


class ReviewView(BaseModel):
    id: UUID = Field(description="Of the session, should it be logged")
    mentorship_id: UUID
    organization_id: UUID
    status: Status
    session: AskedView
    overlaps: list[UUID] = Field(description="Held sessions that it met when it came")
    reason: str | None
    created_at: AwareDatetime
    resolved_at: AwareDatetime | None

    @classmethod
    def of(cls, row: Any) -> "ReviewView":
        new = msgspec.convert(row.asked, NewSession)
        names = ("status", "starts_at", "duration_minutes", "technology", "audience", "attendance")
        asked = {name: msgspec.to_builtins(getattr(new, name)) for name in names}
        own = {name: getattr(row, name) for name in cls.model_fields if name != "session"}
        session = AskedView.model_validate({**asked, "date": new.starts_at.date()})
        return cls.model_validate({**own, "session": session})


class ResolutionBody(Body):
    model_config = example(resolution="void", reason="duplicate")

    resolution: Literal["keep", "void"] = Field(
        description="keep: log it, and void the held sessions that it overlaps; "
        "void: it is a duplicate"
    )
    reason: Reason | None = None


@router.get("/sessions/reviews")
async def list_reviews(
    service: Wired,
    status: Annotated[Status | None, Query()] = "open",
    mentorship_id: UUID | None = None,
    organization_id: UUID | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[ReviewView]:
    """Sessions of journals that overlap a held one: not counted until somebody has looked. A
    correction by the same key that makes them fit resolves them, too. In the order of ids."""
    async with service.sessions() as tx:
        found, more = await queries.page(
            tx,
            limit=limit,
            cursor=cursor,
            status=status,
            mentorship_id=mentorship_id,
            organization_id=organization_id,
        )
    return Page(items=[ReviewView.of(row) for row in found], next_cursor=more)


@router.post("/sessions/reviews/{id:record}:resolve", response_model=ReviewView)
async def resolve_review(
    id: UUID, request: Request, body: ResolutionBody, service: Wired
) -> Response:
    """The same again changes nothing; 409 `review.resolved` for the other resolution."""

    async def action(tx: AsyncSession) -> Reply:
        row = await commands.resolve(
            tx, service.outbox, id, body.resolution, body.reason, clock.now()
        )
        return Reply(ReviewView.of(row))

    return await service.write(request, action)
