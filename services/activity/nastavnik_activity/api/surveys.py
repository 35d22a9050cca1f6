"""Routes of surveys."""

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
from nastavnik_activity.api.shapes.surveys import (
    AnswersView,
    AnswerView,
    NewSurveyBody,
    SurveyChanges,
    SurveyView,
)
from nastavnik_activity.api.views import REPEATED
from nastavnik_activity.commands import base
from nastavnik_activity.commands import surveys as commands
from nastavnik_activity.domain.surveys import NewSurvey
from nastavnik_activity.queries import records as queries
from nastavnik_activity.tables import SURVEYS
from nastavnik_common import clock
from nastavnik_common.events.activity import RecordStatus, SurveyStage
from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_common.writing import Reply, if_match

router = APIRouter(tags=["surveys"])
NOUN = Noun("/surveys", SURVEYS, SurveyView, SurveyView.of)
_DECODER = msgspec.json.Decoder(NewSurvey)


def _counting(service: Service) -> Counting[NewSurvey]:
    return Counting(
        lambda tx, asked: commands.submit_all(tx, service.outbox, asked, clock.now()),
        service.metrics.surveys_submitted,
        lambda state: str(state.stage),
    )


@router.post(
    "/surveys",
    status_code=201,
    response_model=SurveyView,
    responses={200: {**REPEATED, "model": SurveyView}},
)
async def submit_survey(request: Request, body: NewSurveyBody, service: Wired) -> Response:
    """One person's answers to a questionnaire. Each scale's score is the mean of its items,
    brought to 0–10, in hundredths, half up."""
    counting = _counting(service)

    async def action(tx: AsyncSession) -> Reply:
        made = base.one(await counting.run(tx, [body.asked()]))
        return NOUN.reply(made.state, created=made.created)

    response = await service.write(request, action)
    counting.committed()
    return response


@router.post(
    "/surveys:batch",
    response_class=Response,
    responses=batches.RESPONSES,
    openapi_extra=batches.request_body("NewSurveyBody"),
)
async def submit_surveys(request: Request, service: Wired) -> Response:
    """Many at once; each line is what POST /surveys takes, and is checked against those before."""
    counting = _counting(service)
    response = await batches.answer(request, service, _DECODER, counting.run)
    counting.committed()
    return response


@router.get("/surveys")
async def list_surveys(
    service: Wired,
    mentorship_id: UUID | None = None,
    organization_id: UUID | None = None,
    respondent_id: UUID | None = None,
    questionnaire: Annotated[FormCode | None, Query()] = None,
    stage: SurveyStage | None = None,
    status: RecordStatus | None = None,
    since: Annotated[Day | None, Query(alias="from", description="First day")] = None,
    until: Annotated[Day | None, Query(alias="to", description="First day no longer")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[SurveyView]:
    """In the order of ids."""
    equal = {
        "mentorship_id": mentorship_id,
        "organization_id": organization_id,
        "respondent_id": respondent_id,
        "questionnaire": questionnaire,
        "stage": stage,
        "status": status,
    }
    async with service.sessions() as tx:
        found, more = await queries.page(
            tx, SURVEYS, limit=limit, cursor=cursor, equal=equal, since=since, until=until
        )
    return Page(items=[SurveyView.of(state) for state in found], next_cursor=more)


@router.get("/surveys/{id:record}/answers")
async def get_survey_answers(id: UUID, response: Response, service: Wired) -> AnswersView:
    """What was answered. It is kept here only: events have no more than the scores."""
    async with service.sessions() as tx:
        version, found = await queries.answers(tx, id)
    response.headers["etag"] = f'"{version}"'
    return AnswersView(answers=[AnswerView(item=a.item, value=a.value) for a in found])


@router.patch("/surveys/{id:record}", response_model=SurveyView)
async def correct_survey(
    id: UUID, request: Request, body: SurveyChanges, service: Wired
) -> Response:
    """Stage, date and answers. Void one of the wrong respondent, mentorship or questionnaire."""

    async def action(tx: AsyncSession) -> Reply:
        wanted, now = if_match(request), clock.now()
        return NOUN.reply(await commands.correct(tx, service.outbox, id, body.asked(), wanted, now))

    return await service.write(request, action)


add_routes(router, NOUN)
