"""Reports: opened, handed in, returned or accepted, frozen; their figures and restatements."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import examples
from nastavnik_common.auth import Role
from nastavnik_common.auth_scope import caller, reach
from nastavnik_common.events.registry import Level
from nastavnik_common.examples import example
from nastavnik_common.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from nastavnik_common.paths import register_segment
from nastavnik_common.writing import Reply, if_match, write
from nastavnik_metrics.api.service import YEAR, Service, Slice, slice_asked, year_asked
from nastavnik_metrics.reports import commands, freezing, queries, restatements
from nastavnik_metrics.reports.contents import contents, steady
from nastavnik_metrics.reports.freezing import Taken
from nastavnik_metrics.reports.rules import Action, Move, Report, Status
from nastavnik_metrics.reports.views import (
    ReportValuesView,
    ReportView,
    RestatementsView,
    report_view,
    restatement_view,
    values_view,
)
from nastavnik_metrics.tables import IDEMPOTENCY

register_segment()


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewReport(_Body):
    model_config = example(unit_id=examples.SCHOOL, school_year="2026/27")

    id: UUID | None = Field(default=None, description="Chosen by the client, to repeat safely")
    unit_id: UUID
    school_year: str = Field(pattern=YEAR, examples=["2026/27"])


class Transition(_Body):
    model_config = example(comment="for the year")

    comment: str | None = Field(
        default=None,
        max_length=1000,
        pattern=r"^[^\x00]*$",
        description="Without names of people",
    )


AnyYear = Annotated[str | None, Query(pattern=YEAR, description="e.g. 2026/27; absent: any")]
_REPEATED: dict[int | str, dict[str, Any]] = {
    200: {"model": ReportView, "description": "The same was asked for before: the stored report"}
}


def create_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["reports"])
    _add_opening(router, service)
    _add_reading(router, service)
    _add_figures(router, service)
    for action, text in _TRANSITIONS.items():
        _add_transition(router, service, action, text)
    return router


def _add_opening(router: APIRouter, service: Service) -> None:
    @router.post("/reports", status_code=201, response_model=ReportView, responses=_REPEATED)
    async def open_report(request: Request, body: NewReport) -> Response:
        """A draft. A unit has one report a school year."""

        async def action(tx: AsyncSession) -> Reply:
            year = year_asked(body.school_year)
            report, new = await commands.open_report(tx, body.id, body.unit_id, year)
            return await _reply(tx, report, 201 if new else 200)

        return await write(request, service.sessions, IDEMPOTENCY, action)


def _add_reading(router: APIRouter, service: Service) -> None:
    @router.get("/reports")
    async def list_reports(
        unit_id: UUID | None = None,
        school_year: AnyYear = None,
        status: Status | None = None,
        level: Level | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[ReportView]:
        """In the order of ids."""
        after = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
        year = None if school_year is None else year_asked(school_year)
        wanted = {"unit_id": unit_id, "school_year": year, "status": status, "level": level}
        async with service.sessions() as tx:
            found = await queries.page(tx, wanted, after, limit)
            items = await _views(tx, found)
        return Page(
            items=items, next_cursor=encode_cursor(found[-1].id) if len(found) == limit else None
        )

    @router.get("/reports/{id:segment}")
    async def get_report(id: UUID, response: Response) -> ReportView:
        async with service.sessions() as tx:
            (view,) = await _views(tx, [await queries.one(tx, id)])
        response.headers["etag"] = f'"{view.version}"'
        return view


def _add_figures(router: APIRouter, service: Service) -> None:
    @router.get("/reports/{id:segment}/values")
    async def get_report_values(id: UUID, form: Slice = "*") -> ReportValuesView:
        """All indicators: live ones, `provisional`, until the report is frozen; then those stored,
        `frozen`, whatever happens later."""
        async with service.sessions() as tx:
            await steady(tx)
            report = await queries.one(tx, id)
            held = await contents(tx, report, service.catalogue, slice_asked(form))
        return values_view(report, held)

    @router.get("/reports/{id:segment}/restatements")
    async def get_restatements(
        id: UUID,
        parts: Annotated[int, Query(ge=0, le=100, description="contributors of each figure")] = 20,
    ) -> RestatementsView:
        """Where the figures of now differ from the frozen ones: before, after, since when, and
        what they are made of changed how."""
        async with service.sessions() as tx:
            await steady(tx)
            report = await queries.one(tx, id)
            found = await restatements.found(tx, report, service.catalogue)
            names = await queries.names_then_and_now(tx, report)
        items = [restatement_view(one, names, parts) for one in found]
        return RestatementsView(report_id=id, items=items)


_TRANSITIONS: dict[Action, str] = {
    "submit": "Draft or returned → submitted. A territory's only when the reports of the units"
    " under it that must report are accepted or frozen.",
    "return": "Submitted → returned, to be submitted again.",
    "accept": "Submitted → accepted, by somebody else than who submitted it: else 403"
    " `report.own_submission`. A region's administrator for all may do both.",
    "freeze": "Accepted → frozen: the figures of this moment are stored and never change.",
}


def _add_transition(router: APIRouter, service: Service, action: Action, text: str) -> None:
    async def handler(id: UUID, request: Request, body: Transition | None = None) -> Response:
        taken = await _taken(service, id) if action == "freeze" else None
        moving = _moving(service, request, id, _move(action, body), taken)
        return await write(request, service.sessions, IDEMPOTENCY, moving)

    router.post(
        f"/reports/{{id:segment}}:{action}",
        name=f"{action}_report",
        description=text,
        response_model=ReportView,
    )(handler)


def _move(action: Action, body: Transition | None) -> Move:
    """By whom the token is of. Above a region's administrator there is nobody to look again."""
    by = reach().by
    return Move(
        action,
        by=caller() or "service",
        comment=body.comment if body else None,
        alone=by is not None and by.has({Role.REGION}) and by.roots({Role.REGION}) is None,
    )


async def _taken(service: Service, ident: UUID) -> Taken | None:
    """The figures to freeze, all of one moment; None when it is not the report's turn."""
    async with service.sessions() as tx:
        await steady(tx)
        report = await queries.one(tx, ident)
        if report.status != "accepted":
            return None
        return await freezing.take(tx, report, service.catalogue)


def _moving(
    service: Service, request: Request, ident: UUID, asked: Move, taken: Taken | None
) -> Callable[[AsyncSession], Any]:
    async def action(tx: AsyncSession) -> Reply:
        wanted = if_match(request)
        report = await commands.move(tx, ident, asked, wanted, service.catalogue, taken)
        return await _reply(tx, report)

    return action


async def _reply(tx: AsyncSession, report: Report, status: int = 200) -> Reply:
    (view,) = await _views(tx, [report])
    location = f"/reports/{report.id}" if status == 201 else None
    return Reply(view, status=status, version=report.version, location=location)


async def _views(tx: AsyncSession, found: list[Report]) -> list[ReportView]:
    idents = [report.id for report in found]
    names, steps = await queries.unit_names(tx, idents), await queries.steps(tx, idents)
    return [report_view(r, names.get(r.id), steps[r.id]) for r in found]
