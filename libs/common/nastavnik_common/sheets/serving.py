"""Sheets over HTTP: a file in, a report or a marked copy out; all of it or nothing, by default."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile

from nastavnik_common import openapi
from nastavnik_common.errors import DomainError, problem
from nastavnik_common.logs import correlation_id
from nastavnik_common.sheets import markup, reading, rows, template
from nastavnik_common.sheets.findings import Finding, SheetError, hint, letter
from nastavnik_common.sheets.keys import SOURCE
from nastavnik_common.sheets.rows import Row, Sheet
from nastavnik_common.sheets.table import Table
from nastavnik_common.writing import Action, Reply

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"
Done = Literal["created", "changed", "unchanged", "waiting"]


class RowError(Exception):
    """A row was not accepted. `field`: of which cell that speaks, if of one."""

    def __init__(self, code: str, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.field = field


Result = Done | DomainError | RowError
Apply = Callable[[AsyncSession, Sequence[Row]], Awaitable[Sequence[Result]]]
Write = Callable[[Request, Action], Awaitable[Response]]


class FindingView(BaseModel):
    """What is wrong, and at which cell. Never repeats what the cell holds."""

    sheet: str
    row: int | None = Field(default=None, description="From 1, as spreadsheets count")
    column: str | None = Field(default=None, description="A letter, such as B")
    field: str | None = None
    code: str = Field(description="stable; program against this")
    hint: str = Field(description="For whoever filled the sheet in, in Russian")


class SheetReport(BaseModel):
    table: str
    outcome: Literal["applied", "checked", "refused"] = Field(
        description="checked: a dry run; refused: nothing was changed"
    )
    rows: int = Field(description="Filled rows; those refused and repeated included")
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    waiting: int = Field(default=0, description="Kept for review: GET /sessions/reviews")
    repeated: int = Field(default=0, description="The same as an earlier row of the file")
    ignored_columns: list[str] = Field(default=[], description="Letters of columns not known")
    findings: list[FindingView] = []


class Options(BaseModel):
    """What may be said of an upload, besides the file."""

    source: Annotated[str, Field(pattern=SOURCE, max_length=63)] = Field(
        default="sheet", description="The system that the keys of rows belong to"
    )
    partial: bool = Field(default=False, description="Apply good rows though others are refused")
    dry_run: bool = Field(default=False, description="Say what would happen, change nothing")
    report: Literal["json", "file"] = Field(
        default="json", description="file: where something is wrong, a copy with it at the cells"
    )
    mapping: str | None = Field(
        default=None,
        max_length=10_000,
        description='JSON object: heading → field, or "" to ignore, e.g. {"Ученик": "family_name"}',
    )

    def headings(self) -> dict[str, str]:
        try:
            found = json.loads(self.mapping or "{}")
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
            raise DomainError("sheet.mapping", "mapping is a JSON object of headings to fields.")
        return found


Given = Annotated[Options, Query()]
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


def refused(sheet: Sheet, found: SheetReport, options: Options) -> bool:
    return sheet.broken or (bool(found.findings) and not options.partial)


def report(sheet: Sheet, results: Sequence[Result]) -> SheetReport:
    """What to say of the rows and their results, as if these were applied."""
    counts = {"created": 0, "changed": 0, "unchanged": 0, "waiting": 0}
    findings = list(sheet.findings)
    for row, result in zip(sheet.rows, results, strict=False):
        if isinstance(result, str):
            counts[result] += 1
        else:
            findings.append(_refusal(sheet, row, result))
    findings.sort(key=lambda f: (f.row or 0, f.column or ""))
    wrong_rows = {f.row for f in sheet.findings if f.row}
    unknown = sheet.layout.unknown if sheet.layout else []
    return SheetReport(
        table=sheet.table.name,
        outcome="applied",
        rows=len(sheet.rows) + sheet.repeated + (0 if sheet.broken else len(wrong_rows)),
        **counts,
        repeated=sheet.repeated,
        ignored_columns=[letter(index) for index in unknown],
        findings=[
            FindingView.model_validate({name: getattr(f, name) for name in f.__struct_fields__})
            for f in findings
        ],
    )


def _refusal(sheet: Sheet, row: Row, error: DomainError | RowError) -> Finding:
    known = sheet.table.problems.get(error.code)
    said = known.hint if known else hint("row.refused", code=error.code)
    field = getattr(error, "field", None) or (known.field if known else None)
    return sheet.finding(row, field, error.code, said)


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
