"""Routes of spreadsheets: templates, uploads, and ids for names in the sheets of other services."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.auth_scope import reach
from nastavnik_common.errors import DomainError, NotFoundError
from nastavnik_common.sheets import journals as tables
from nastavnik_common.sheets import reports, serving, template
from nastavnik_common.sheets.findings import SheetError, hint
from nastavnik_common.sheets.journals import Journal
from nastavnik_common.sheets.reports import Options, Result, SheetReport
from nastavnik_common.sheets.rows import Row
from nastavnik_common.sheets.serving import ANSWERS, FILE_BODY, FILES
from nastavnik_registry.api.service import Registry
from nastavnik_registry.sheets import definitions, headcounts, journals, names, participants, units

router = APIRouter(tags=["spreadsheets"])
_SHEET: dict[str, Any] = {
    "response_model": SheetReport,
    "responses": ANSWERS,
    "openapi_extra": FILE_BODY,
}
Places = Annotated[
    list[UUID],
    Query(min_length=1, max_length=20, description="Organisations whose people are meant"),
]


class PlacedOptions(Options):
    organization_id: UUID | None = Field(default=None, description="Of rows that name none")


class ResolveOptions(Options):
    organization_id: list[UUID] = Field(
        min_length=1,
        max_length=20,
        description="Whose people are named; the first is that of rows that name none",
    )


class ResolvedSheet(BaseModel):
    report: SheetReport
    csv: str = Field(description="Without names, rows and columns where they were: to be sent on")


@router.post("/sheets/participants", **_SHEET)
async def enter_participants_sheet(
    request: Request, options: Annotated[PlacedOptions, Query()], registry: Registry
) -> Response:
    """People by the key of their source, by СНИЛС, or by name and birth date in the organisation.
    A blank cell leaves what is there; who is not in the sheet stays."""

    async def apply(tx: AsyncSession, rows: Sequence[Row]) -> Sequence[Result]:
        return await participants.apply(
            tx, registry.outbox, rows, options.source, options.organization_id
        )

    table = definitions.table("participants")
    return await serving.upload(request, options, table, registry.write, apply)


@router.post("/sheets/headcounts", **_SHEET)
async def enter_headcounts_sheet(
    request: Request, options: Annotated[PlacedOptions, Query()], registry: Registry
) -> Response:
    """Official headcounts, one for each unit, school year and population."""

    async def apply(tx: AsyncSession, rows: Sequence[Row]) -> Sequence[Result]:
        return await headcounts.apply(
            tx, registry.outbox, rows, options.source, options.organization_id
        )

    table = definitions.table("headcounts")
    return await serving.upload(request, options, table, registry.write, apply)


@router.post("/sheets/{journal}:people", responses=FILES, openapi_extra=FILE_BODY)
async def list_people_for_sheet(
    journal: Journal, request: Request, organization_id: Places, registry: Registry
) -> Response:
    """A template of the activity service, back with people of the organisations to pick from."""
    _check_reach(organization_id)
    data = await serving.receive(request)
    async with registry.sessions() as tx:
        labels = list(map(names.label, await names.of_units(tx, organization_id)))
    try:
        made = await asyncio.to_thread(template.with_people, data, tables.table(journal), labels)
    except SheetError as error:
        raise DomainError(error.code, hint(error.code, **error.facts)) from None
    return serving.attachment(made, f"{journal}.xlsx")


@router.post(
    "/sheets/{journal}:resolve",
    response_model=ResolvedSheet,
    responses={200: {"model": ResolvedSheet}},
    openapi_extra=FILE_BODY,
)
async def resolve_sheet(
    journal: Journal,
    request: Request,
    options: Annotated[ResolveOptions, Query()],
    registry: Registry,
) -> Response:
    """A sheet of the activity service with ids in the place of names, for the client to send on.
    Reads only. 422 `sheet.refused` as with uploads; `partial` leaves bad rows out."""
    _check_reach(options.organization_id)
    data = await serving.receive(request)
    table = journals.explained(tables.table(journal))
    file, sheet = await asyncio.to_thread(serving.opened, table, data, options.headings())
    content = b""
    outcomes: list[reports.RowError | None] = []
    if not sheet.broken:
        async with registry.sessions() as tx:
            known = await names.load(
                tx, options.organization_id, options.source, journals.people_said(sheet)
            )
            said = (row["organization"] for row in sheet.rows)
            places = await units.load(tx, said, options.source, options.organization_id[0])
        content, outcomes = journals.resolved(sheet, options.source, known, places)
    found = reports.report(sheet, [outcome or "unchanged" for outcome in outcomes])
    if reports.refused(sheet, found, options):
        told = found.model_copy(update={"outcome": "refused"})
        return await serving.told(request, options, data, file, told)
    checked = found.model_copy(update={"outcome": "checked"})
    body = ResolvedSheet(report=checked, csv=content.decode())
    return Response(body.model_dump_json(), media_type="application/json")


def _check_reach(organizations: Sequence[UUID]) -> None:
    for ident in organizations:
        if not reach().covers(ident):
            raise NotFoundError("unit", ident)


def _add_template(name: definitions.Name, kind: str) -> None:
    async def handler() -> Response:
        return await serving.offered(definitions.table(name), kind)

    router.get(
        f"/templates/{name}.{kind}",
        name=f"template_{name}_{kind}",
        description="An empty sheet to fill in, with choices to pick from and a sheet that explains"
        " it.",
        response_class=Response,
        responses=FILES,
    )(handler)


for _kind in ("xlsx", "csv"):
    _add_template("participants", _kind)
    _add_template("headcounts", _kind)
