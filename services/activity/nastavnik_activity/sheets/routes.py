"""Routes of spreadsheets: templates to fill in, and what they come back as."""

import re
from collections.abc import Sequence
from datetime import timedelta, timezone
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.api import sessions
from nastavnik_activity.api.counting import Counting
from nastavnik_activity.api.service import Wired
from nastavnik_activity.commands import journal_mentorships, journal_surveys
from nastavnik_activity.domain.surveys import NewSurvey
from nastavnik_activity.sheets import applying, lines, surveys
from nastavnik_common import clock
from nastavnik_common.sheets import journals, serving
from nastavnik_common.sheets.reports import Options, Result, SheetReport
from nastavnik_common.sheets.rows import Row
from nastavnik_common.sheets.serving import ANSWERS, FILE_BODY, FILES
from nastavnik_common.sheets.table import Table

router = APIRouter(tags=["spreadsheets"])
Questionnaire = Annotated[str, Query(max_length=63, description="Code, see GET /questionnaires")]
_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})")


class MentorshipOptions(Options):
    organization_id: UUID | None = Field(default=None, description="Of rows that name none")


class SessionOptions(Options):
    utc_offset: str = Field(
        default="+03:00",
        pattern=r"^[+-](0[0-9]|1[0-4]):(00|15|30|45)$",
        description="Of the times in the sheet",
    )

    def zone(self) -> timezone:
        found = _OFFSET.fullmatch(self.utc_offset)
        assert found is not None
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-offset if found[1] == "-" else offset)


class SurveyOptions(Options):
    questionnaire: str = Field(max_length=63, description="Code, see GET /questionnaires")


_SHEET: dict[str, Any] = {
    "response_model": SheetReport,
    "responses": ANSWERS,
    "openapi_extra": FILE_BODY,
}


@router.post("/sheets/mentorships", **_SHEET)
async def enter_mentorships_sheet(
    request: Request, options: Annotated[MentorshipOptions, Query()], service: Wired
) -> Response:
    """A filled-in sheet of pairs and groups; people and organisations by their ids."""

    async def apply(tx: AsyncSession, rows: Sequence[Row]) -> Sequence[Result]:
        return await applying.enter(
            rows,
            lambda row: lines.mentorship(row, options.organization_id),
            lambda asked: journal_mentorships.enter_all(
                tx, service.outbox, asked, options.source, clock.now(), consents=service.consents
            ),
        )

    return await serving.upload(
        request, options, journals.table("mentorships"), service.write, apply
    )


@router.post("/sheets/sessions", **_SHEET)
async def enter_sessions_sheet(
    request: Request, options: Annotated[SessionOptions, Query()], service: Wired
) -> Response:
    """A filled-in sheet of sessions; mentorships by the keys of the same source."""
    counting, zone = sessions.journal(service, options.source), options.zone()

    async def apply(tx: AsyncSession, rows: Sequence[Row]) -> Sequence[Result]:
        return await applying.enter(
            rows,
            lambda row: lines.session(row, zone),
            lambda asked: counting.run(tx, asked),
        )

    table = journals.table("sessions")
    return await serving.upload(request, options, table, service.write, apply, counting.committed)


@router.post("/sheets/surveys", **_SHEET)
async def enter_surveys_sheet(
    request: Request, options: Annotated[SurveyOptions, Query()], service: Wired
) -> Response:
    """A filled-in sheet of responses to one questionnaire, its latest version."""
    async with service.sessions() as tx:
        asked = await surveys.asked(tx, options.questionnaire)
    counting = Counting[NewSurvey](
        lambda tx, made: journal_surveys.enter_all(tx, service.outbox, made, clock.now()),
        service.metrics.surveys_submitted,
        lambda state: str(state.stage),
    )

    async def apply(tx: AsyncSession, rows: Sequence[Row]) -> Sequence[Result]:
        return await applying.enter(
            rows,
            lambda row: lines.survey(row, options.source, asked.code, asked.version),
            lambda made: counting.run(tx, made),
        )

    table = surveys.table(asked)
    return await serving.upload(request, options, table, service.write, apply, counting.committed)


def _add_template(name: Literal["mentorships", "sessions"], kind: str) -> None:
    async def handler() -> Response:
        return await serving.offered(journals.table(name), kind)

    router.get(
        f"/templates/{name}.{kind}",
        name=f"template_{name}_{kind}",
        description="An empty sheet to fill in, with choices to pick from and a sheet that explains"
        " it. The registry puts people into it: POST /sheets/{journal}:people there.",
        response_class=Response,
        responses=FILES,
    )(handler)


def _add_survey_template(kind: str) -> None:
    async def handler(questionnaire: Questionnaire, service: Wired) -> Response:
        async with service.sessions() as tx:
            made: Table = surveys.table(await surveys.asked(tx, questionnaire))
        return await serving.offered(made, kind)

    router.get(
        f"/templates/surveys.{kind}",
        name=f"template_surveys_{kind}",
        description="An empty sheet for responses to the questionnaire, a column for each item.",
        response_class=Response,
        responses=FILES,
    )(handler)


for _kind in ("xlsx", "csv"):
    _add_template("mentorships", _kind)
    _add_template("sessions", _kind)
    _add_survey_template(_kind)
