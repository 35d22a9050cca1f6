"""Sheets over HTTP: a file in, a report or a marked copy out; all of it or nothing, by default."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile

from nastavnik_common import openapi
from nastavnik_common.errors import DomainError, problem
from nastavnik_common.logs import correlation_id
from nastavnik_common.sheets import markup, reading, rows, template
from nastavnik_common.sheets.findings import Finding, SheetError, hint
from nastavnik_common.sheets.reports import Options, Result, SheetReport, refused, report
from nastavnik_common.sheets.rows import Row, Sheet
from nastavnik_common.sheets.table import Table
from nastavnik_common.writing import Action, Reply

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"
Apply = Callable[[AsyncSession, Sequence[Row]], Awaitable[Sequence[Result]]]
Write = Callable[[Request, Action], Awaitable[Response]]


FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            XLSX: {"schema": {"type": "string", "format": "binary"}},
            CSV: {"schema": {"type": "string", "format": "binary"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": SheetReport, "content": {XLSX: {}}},
    422: {
        "description": "No sheet at all; or cells are wrong, and nothing was written",
        "content": {
            openapi.PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        },
    },
}
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {
            XLSX: {"schema": {"type": "string", "format": "binary"}},
            CSV: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@dataclass(frozen=True)
class Rehearsed(Exception):  # noqa: N818 - it carries a result; what was written is rolled back
    report: SheetReport


async def receive(request: Request) -> bytes:
    """The body, or its form's `file`. The service's limit of bodies is the limit."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        return await request.body()
    await request.body()  # kept by the request, for the fingerprint of an Idempotency-Key
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise DomainError("sheet.no_file", "The form has a field `file`, the sheet.")
        return await file.read()


async def upload(
    request: Request,
    options: Options,
    table: Table,
    write: Write,
    apply: Apply,
    committed: Callable[[], None] = lambda: None,
) -> Response:
    """Read, check, apply in one transaction; answer with the report or the marked copy.
    `committed` is called when something was applied for good."""
    data, headings = await receive(request), options.headings()
    file, sheet = await asyncio.to_thread(opened, table, data, headings)
    found = await _applied(request, options, sheet, write, apply)
    if found.outcome == "applied":
        committed()
    return await told(request, options, data, file, found)


async def told(
    request: Request, options: Options, data: bytes, file: reading.File, found: SheetReport
) -> Response:
    """The report, or a copy of the file that has it at the cells."""
    findings = [Finding(**view.model_dump()) for view in found.findings]
    if options.report == "file" and findings:
        copy = await asyncio.to_thread(markup.marked, data, file, findings)
        return attachment(copy, f"{found.table}-errors.xlsx", _status(found))
    return answer(request, found)


def opened(table: Table, data: bytes, headings: dict[str, str]) -> tuple[reading.File, Sheet]:
    """DomainError 422 ``file.*`` for what is no sheet."""
    try:
        file = reading.read(data)
        return file, rows.parse(table, file, headings)
    except SheetError as error:
        raise DomainError(error.code, hint(error.code, **error.facts)) from None


async def _applied(
    request: Request, options: Options, sheet: Sheet, write: Write, apply: Apply
) -> SheetReport:
    async def action(tx: AsyncSession) -> Reply:
        results = [] if sheet.broken else await apply(tx, sheet.rows)
        found = report(sheet, results)
        if options.dry_run:
            raise Rehearsed(found.model_copy(update={"outcome": "checked"}))
        if refused(sheet, found, options):
            raise Rehearsed(found.model_copy(update={"outcome": "refused"}))
        return Reply(found)

    try:
        response = await write(request, action)
    except Rehearsed as rehearsed:
        return rehearsed.report
    return SheetReport.model_validate_json(bytes(response.body))


def _status(report: SheetReport) -> int:
    return 422 if report.outcome == "refused" else 200


def answer(request: Request, report: SheetReport) -> Response:
    """200 with the report; 422 with a problem document that carries it."""
    if report.outcome != "refused":
        return Response(report.model_dump_json(), media_type="application/json")
    document = problem(
        422,
        "sheet.refused",
        "Nothing was changed; `report` says what is wrong, cell by cell.",
        instance=request.url.path,
        correlation_id=correlation_id(),
    )
    content = json.dumps({**document, "report": report.model_dump()}, ensure_ascii=False)
    return Response(content, 422, media_type=openapi.PROBLEM)


def attachment(content: bytes, name: str, status: int = 200) -> Response:
    kind = XLSX if name.endswith(".xlsx") else f"{CSV}; charset=utf-8"
    where = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(content, status, {"content-disposition": where}, media_type=kind)


async def offered(table: Table, extension: str) -> Response:
    """The template as a file."""
    if extension == "csv":
        return attachment(template.csv_bytes(table), f"{table.name}.csv")
    made = await asyncio.to_thread(template.xlsx, table)
    return attachment(made, f"{table.name}.xlsx")
