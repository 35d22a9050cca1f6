"""What may be said of an upload, and what is said of it."""

import json
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from nastavnik_common.errors import DomainError
from nastavnik_common.sheets.findings import Finding, hint, letter
from nastavnik_common.sheets.keys import SOURCE
from nastavnik_common.sheets.rows import Row, Sheet

Done = Literal["created", "changed", "unchanged", "waiting"]


class RowError(Exception):
    """A row was not accepted. `field`: of which cell that speaks, if of one."""

    def __init__(self, code: str, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.field = field


Result = Done | DomainError | RowError


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
        max_length=5_000,
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
