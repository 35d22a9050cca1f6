"""Figures as files: of a unit and those below it, and of a report."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import clock
from nastavnik_metrics import exports, months, queries, snapshot, values
from nastavnik_metrics.api.service import SchoolYear, Service, Slice, slice_asked, year_asked
from nastavnik_metrics.catalogue.model import ALL
from nastavnik_metrics.exports.sheet import pieces
from nastavnik_metrics.reports import queries as reports
from nastavnik_metrics.reports.contents import contents, steady

Format = Literal["csv", "xlsx"]
Rows = AsyncIterator[list[exports.Row]]
TOGETHER = 50
"""Units evaluated at a time."""
_FILES: dict[Format, type[exports.CsvFile] | type[exports.XlsxFile]] = {
    "csv": exports.CsvFile,
    "xlsx": exports.XlsxFile,
}


class _Asked(NamedTuple):
    unit: UUID
    year: int
    slice: str | None
    children: bool


def create_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["exports"])
    for form in _FILES:
        _add_values(router, service, form)
        _add_report(router, service, form)
    return router


def _add_values(router: APIRouter, service: Service, form: Format) -> None:
    async def handler(
        unit: UUID,
        school_year: SchoolYear = None,
        form_: Slice = ALL,
        children: Annotated[bool, Query(description="and of the units right below")] = False,
    ) -> Response:
        asked = _Asked(unit, year_asked(school_year), slice_asked(form_), children)
        async with service.sessions() as tx:
            await steady(tx)
            return await _file(form, _of_unit(tx, service, asked), "values", asked.year)

    _route(router, f"/exports/values.{form}", form, handler, "All indicators of a unit.")


def _add_report(router: APIRouter, service: Service, form: Format) -> None:
    async def handler(id: UUID, form_: Slice = "*") -> Response:
        async with service.sessions() as tx:
            await steady(tx)
            report = await reports.one(tx, id)
            held = await contents(tx, report, service.catalogue, slice_asked(form_))

            async def rows() -> Rows:
                yield [exports.row(value, held.unit, title) for value, title in held.items]

            return await _file(form, rows(), "report", report.school_year)

    text = "The figures of a report: provisional ones, or those that were frozen."
    _route(router, f"/reports/{{id:segment}}/export.{form}", form, handler, text)


def _route(router: APIRouter, path: str, form: Format, handler: Any, text: str) -> None:
    media = _FILES[form].media_type.split(";", maxsplit=1)[0]
    what = "report" if path.startswith("/reports/") else "values"
    content = {media: {"schema": {"type": "string", "format": "binary"}}}
    router.get(
        path,
        name=f"export_{what}_{form}",
        description=f"{text} One row a figure; columns and their meaning in Russian.",
        response_class=Response,
        responses={200: {"content": content, "description": "The file"}},
    )(handler)


async def _of_unit(tx: AsyncSession, service: Service, asked: _Asked) -> Rows:
    await queries.unit(tx, asked.unit)
    catalogue = service.catalogue
    snap = await snapshot.take(tx, months.last_month(asked.year), catalogue)
    known = snap.tree.units
    below = [u for u in snap.tree.children(asked.unit) if asked.children and u in known]
    units = [asked.unit, *sorted(below, key=lambda u: (known[u].name, u))]
    current = catalogue.current(asked.year)
    titles = {indicator.code: indicator.title.ru for indicator in current}
    for start in range(0, len(units), TOGETHER):
        some = units[start : start + TOGETHER]
        found = await values.evaluated(tx, snap, some, current, asked.slice)
        yield [exports.row(v, known[v.organization_id], titles[v.indicator]) for v in found]


async def _file(form: Format, rows: Rows, name: str, year: int) -> Response:
    file: exports.Sheet = _FILES[form]()
    async for some in rows:
        await asyncio.to_thread(file.add, some)
    whole = await asyncio.to_thread(file.finished)
    label = clock.label(year).replace("/", "-")
    headers = {"content-disposition": f'attachment; filename="{name}-{label}.{form}"'}
    return StreamingResponse(pieces(whole), media_type=file.media_type, headers=headers)
