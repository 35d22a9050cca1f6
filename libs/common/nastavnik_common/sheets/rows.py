"""Rows of a table: values by field, and what is wrong with their cells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from nastavnik_common.sheets import cells, layout
from nastavnik_common.sheets.findings import CellError, Finding, SheetError, hint, letter
from nastavnik_common.sheets.layout import Layout
from nastavnik_common.sheets.reading import File, Grid
from nastavnik_common.sheets.table import Table


@dataclass(frozen=True)
class Row:
    """`number` counts from 1. `values`: of the columns that the sheet has; None where empty."""

    number: int
    values: dict[str, Any]

    def __getitem__(self, field: str) -> Any:
        return self.values.get(field)


class Sheet(NamedTuple):
    """A table as found in a file. `repeated`: rows that say again what an earlier one said."""

    table: Table
    grid: Grid
    layout: Layout | None
    rows: list[Row]
    findings: list[Finding]
    repeated: int

    @property
    def broken(self) -> bool:
        """Whether nothing of it may be applied, whatever the rows say."""
        return self.layout is None or bool(self.layout.findings)

    def finding(self, row: Row, field: str | None, code: str, said: str) -> Finding:
        return _finding(self.grid, self.layout, row.number, field, code, said)


def parse(table: Table, file: File, mapping: Mapping[str, str]) -> Sheet:
    """Raises SheetError for a mapping to fields that are none, and for a file without sheets."""
    fields = {column.field for column in table.columns}
    if not set(mapping.values()) - {""} <= fields:
        raise SheetError("header.mapping", names=", ".join(sorted(fields)))
    if not file.grids:
        raise SheetError("file.empty")
    grid, found = layout.find(table, file.grids, mapping)
    if found is None:
        return Sheet(table, grid, None, [], [layout.absent(table, grid)], 0)
    if found.findings:
        return Sheet(table, grid, found, [], found.findings, 0)
    return _parsed(table, grid, found)


def data(grid: Grid, found: Layout) -> Iterator[tuple[int, list[Any]]]:
    """Row numbers, from 1, and cells of the rows under the heading that hold data."""
    for number, row in enumerate(grid.rows[found.header + 1 :], found.header + 2):
        if layout.is_data(row) and any(
            index < len(row) and row[index] not in (None, "") for index in found.columns.values()
        ):
            yield number, row


def _parsed(table: Table, grid: Grid, found: Layout) -> Sheet:
    rows: list[Row] = []
    findings: list[Finding] = []
    seen: dict[Any, Row] = {}
    repeated = count = 0
    for number, cells_of_row in data(grid, found):
        count += 1
        if count > table.max_rows:
            raise SheetError("file.too_many_rows", limit=table.max_rows)
        row, wrong = _row(table, grid, found, number, cells_of_row)
        findings += wrong
        if wrong:
            continue
        earlier = seen.setdefault(_identity(table, row), row)
        if earlier is row:
            rows.append(row)
        elif earlier.values == row.values:
            repeated += 1
        else:
            said = hint("row.repeated_key", row=earlier.number)
            field = next((f for f in table.identity if f in found.columns), None)
            findings.append(_finding(grid, found, number, field, "row.repeated_key", said))
    if not count:
        said = hint("sheet.no_rows")
        findings.append(Finding(sheet=grid.sheet, code="sheet.no_rows", hint=said))
    return Sheet(table, grid, found, rows, findings, repeated)


def _row(
    table: Table, grid: Grid, found: Layout, number: int, row: list[Any]
) -> tuple[Row, list[Finding]]:
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for column in table.columns:
        index = found.columns.get(column.field)
        if index is None:
            continue
        cell = row[index] if index < len(row) else None
        try:
            values[column.field] = cells.value(column, cell, mac=grid.mac)
        except CellError as error:
            said = hint(error.code, **error.facts)
            findings.append(_finding(grid, found, number, column.field, error.code, said))
    return Row(number, values), findings


def _identity(table: Table, row: Row) -> Any:
    named = tuple(row[field] for field in table.identity)
    return named if all(named) else tuple(row.values.items())


def _finding(
    grid: Grid, found: Layout | None, number: int, field: str | None, code: str, said: str
) -> Finding:
    index = found.columns.get(field) if found and field else None
    if index is None and found:
        index = min(found.columns.values())
    return Finding(
        sheet=grid.sheet,
        row=number,
        column=None if index is None else letter(index),
        field=field,
        code=code,
        hint=said,
    )
