"""Where a table stands in a grid: which row heads it, which column is which field."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nastavnik_common.sheets.findings import Finding, hint, letter
from nastavnik_common.sheets.reading import Cell, Grid
from nastavnik_common.sheets.table import Table
from nastavnik_common.sheets.words import fold

HEADER_WITHIN = 50
LEAST = 2
"""A row with fewer known headings heads nothing: a title may name a column by chance."""


class Layout(NamedTuple):
    """`header`: index of the heading row. `columns`: field → index of its column."""

    header: int
    columns: dict[str, int]
    unknown: list[int]
    findings: list[Finding]


def find(
    table: Table, grids: Sequence[Grid], mapping: Mapping[str, str]
) -> tuple[Grid, Layout | None]:
    """The grid with the fullest heading row, and that row. `mapping`: heading → field, or "" for a
    column to be left alone; it goes before the names that the table knows."""
    names = _names(table, mapping)
    best: tuple[int, Grid, int] | None = None
    for grid in grids:
        for number, row in enumerate(grid.rows[:HEADER_WITHIN]):
            score = len({names[said] for cell in row if (said := fold(cell)) in names} - {""})
            if score >= LEAST and (best is None or score > best[0]):
                best = (score, grid, number)
    if best is None:
        return grids[0], None
    _, grid, number = best
    return grid, _layout(table, grid, number, names)


def absent(table: Table, grid: Grid) -> Finding:
    """What is said when no row heads the table."""
    titles = ", ".join(f"«{c.title}»" for c in table.columns if c.required)
    return Finding(
        sheet=grid.sheet, code="header.missing", hint=hint("header.missing", names=titles)
    )


def _names(table: Table, mapping: Mapping[str, str]) -> dict[str, str]:
    known = {name: column.field for column in table.columns for name in column.names()}
    return known | {fold(heading): field for heading, field in mapping.items()}


def _layout(table: Table, grid: Grid, number: int, names: Mapping[str, str]) -> Layout:
    columns: dict[str, int] = {}
    unknown: list[int] = []
    findings: list[Finding] = []
    for index, cell in enumerate(grid.rows[number]):
        field = names.get(fold(cell), "")
        if not field:
            unknown += [index] if fold(cell) else []
        elif field in columns:
            findings.append(_twice(table, grid, number, index, field))
        else:
            columns[field] = index
    missing = [c.title for c in table.columns if c.required and c.field not in columns]
    if missing:
        said = ", ".join(f"«{title}»" for title in missing)
        findings.append(
            Finding(
                sheet=grid.sheet,
                row=number + 1,
                code="header.incomplete",
                hint=hint("header.incomplete", names=said),
            )
        )
    return Layout(number, columns, unknown, findings)


def _twice(table: Table, grid: Grid, number: int, index: int, field: str) -> Finding:
    return Finding(
        sheet=grid.sheet,
        row=number + 1,
        column=letter(index),
        field=field,
        code="header.twice",
        hint=hint("header.twice", name=table.column(field).title),
    )


def is_data(row: Sequence[Cell]) -> bool:
    """Neither empty, nor the row of column numbers under the headings of official forms, nor a
    total."""
    said = [fold(cell) for cell in row]
    filled = [text for text in said if text]
    if not filled or filled[0].split(" ")[0] in ("итого", "всего"):
        return False
    return len(filled) < 3 or filled != [str(n + 1) for n in range(len(filled))]
