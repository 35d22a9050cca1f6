"""Routes of questionnaires."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.api.service import Wired
from nastavnik_activity.api.shapes.questionnaires import QuestionnaireBody
from nastavnik_activity.api.views import REPEATED
from nastavnik_activity.commands import questionnaires as commands
from nastavnik_activity.domain.forms import CODE_PATTERN
from nastavnik_activity.queries import questionnaires as queries
from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_common.writing import Reply

router = APIRouter(tags=["questionnaires"])


@router.get("/questionnaires")
async def list_questionnaires(
    service: Wired, limit: Limit = 100, cursor: Cursor = None
) -> Page[QuestionnaireBody]:
    """All versions, by code and version: those that come with the service, and your own."""
    async with service.sessions() as tx:
        found, more = await queries.page(tx, limit=limit, cursor=cursor)
    return Page(items=[QuestionnaireBody.of(each) for each in found], next_cursor=more)


@router.get("/questionnaires/{code}")
async def get_questionnaire(
    service: Wired,
    code: Annotated[str, Path(pattern=CODE_PATTERN, max_length=63)],
    version: Annotated[int | None, Query(ge=1, le=10_000, description="Absent: the latest")] = None,
) -> QuestionnaireBody:
    async with service.sessions() as tx:
        return QuestionnaireBody.of(await queries.one(tx, code, version))


@router.post(
    "/questionnaires",
    status_code=201,
    response_model=QuestionnaireBody,
    responses={200: {**REPEATED, "model": QuestionnaireBody}},
)
async def add_questionnaire(request: Request, body: QuestionnaireBody, service: Wired) -> Response:
    """One of your own, or another version of any. It never replaces a version that is there."""

    async def action(tx: AsyncSession) -> Reply:
        added = await commands.add(tx, body.asked())
        return Reply(body, status=201 if added else 200)

    return await service.write(request, action)
