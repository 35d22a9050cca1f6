"""Routes of assessments."""

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.api import batches
from nastavnik_activity.api.counting import Counting
from nastavnik_activity.api.fields import Day, FormCode
from nastavnik_activity.api.records import Noun, add_routes
from nastavnik_activity.api.service import Service, Wired
from nastavnik_activity.api.shapes.assessments import (
    AssessmentChanges,
    AssessmentView,
    NewAssessmentBody,
)
from nastavnik_activity.api.views import REPEATED
from nastavnik_activity.commands import assessments as commands
from nastavnik_activity.commands import base
from nastavnik_activity.domain.assessments import NewAssessment, Stage
from nastavnik_activity.queries import records as queries
from nastavnik_activity.tables import ASSESSMENTS
from nastavnik_common import clock
from nastavnik_common.events.activity import Domain, RecordStatus
from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_common.writing import Reply, if_match

router = APIRouter(tags=["assessments"])
NOUN = Noun("/assessments", ASSESSMENTS, AssessmentView, AssessmentView.of)
_DECODER = msgspec.json.Decoder(NewAssessment)


def _counting(service: Service) -> Counting[NewAssessment]:
    return Counting(
        lambda tx, asked: commands.record_all(tx, service.outbox, asked, clock.now()),
        service.metrics.assessments_recorded,
        lambda state: str(state.domain),
    )


@router.post(
    "/assessments",
    status_code=201,
    response_model=AssessmentView,
    responses={200: {**REPEATED, "model": AssessmentView}},
)
async def record_assessment(request: Request, body: NewAssessmentBody, service: Wired) -> Response:
    """A figure before or after; both are recorded once a school year."""
    counting = _counting(service)

    async def action(tx: AsyncSession) -> Reply:
        made = base.one(await counting.run(tx, [body.asked()]))
        return NOUN.reply(made.state, created=made.created)

    response = await service.write(request, action)
    counting.committed()
    return response


@router.post(
    "/assessments:batch",
    response_class=Response,
    responses=batches.RESPONSES,
    openapi_extra=batches.request_body("NewAssessmentBody"),
)
async def record_assessments(request: Request, service: Wired) -> Response:
    """Many at once; each line is what POST /assessments takes, and is checked against those
    before."""
    counting = _counting(service)
    response = await batches.answer(request, service, _DECODER, counting.run)
    counting.committed()
    return response


@router.get("/assessments")
async def list_assessments(
    service: Wired,
    mentorship_id: UUID | None = None,
    organization_id: UUID | None = None,
    subject_id: UUID | None = None,
    domain: Domain | None = None,
    instrument: Annotated[FormCode | None, Query()] = None,
    stage: Stage | None = None,
    status: RecordStatus | None = None,
    since: Annotated[Day | None, Query(alias="from", description="First day")] = None,
    until: Annotated[Day | None, Query(alias="to", description="First day no longer")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[AssessmentView]:
    """In the order of ids."""
    equal = {
        "mentorship_id": mentorship_id,
        "organization_id": organization_id,
        "subject_id": subject_id,
        "domain": domain,
        "instrument": instrument,
        "stage": stage,
        "status": status,
    }
    async with service.sessions() as tx:
        found, more = await queries.page(
            tx, ASSESSMENTS, limit=limit, cursor=cursor, equal=equal, since=since, until=until
        )
    return Page(items=[AssessmentView.of(state) for state in found], next_cursor=more)


@router.patch("/assessments/{id:record}", response_model=AssessmentView)
async def correct_assessment(
    id: UUID, request: Request, body: AssessmentChanges, service: Wired
) -> Response:
    """Everything but whose it is; void one of the wrong subject or mentorship."""

    async def action(tx: AsyncSession) -> Reply:
        wanted, now = if_match(request), clock.now()
        return NOUN.reply(await commands.correct(tx, service.outbox, id, body.asked(), wanted, now))

    return await service.write(request, action)


add_routes(router, NOUN)
