"""Routes of forms."""

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.api.bodies import NewForm
from nastavnik_activity.api.service import Wired
from nastavnik_activity.api.views import REPEATED, FormView
from nastavnik_activity.commands import forms
from nastavnik_activity.queries import forms as queries
from nastavnik_activity.tables import Form
from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_common.writing import Reply

router = APIRouter(tags=["forms"])


@router.get("/forms")
async def list_forms(service: Wired, limit: Limit = 100, cursor: Cursor = None) -> Page[FormView]:
    """The federal five and the local ones, by code."""
    async with service.sessions() as tx:
        found, more = await queries.page(tx, limit=limit, cursor=cursor)
    return Page(items=[_view(form) for form in found], next_cursor=more)


@router.post(
    "/forms",
    status_code=201,
    response_model=FormView,
    responses={200: {**REPEATED, "model": FormView}},
)
async def add_form(request: Request, body: NewForm, service: Wired) -> Response:
    """A local form, mapped to a federal one."""

    async def action(tx: AsyncSession) -> Reply:
        added = await forms.add(
            tx, Form(code=body.code, name=body.name, federal_form=body.federal_form)
        )
        return Reply(FormView(**body.model_dump()), status=201 if added else 200)

    return await service.write(request, action)


def _view(form: Form) -> FormView:
    return FormView.model_validate(form, from_attributes=True)
