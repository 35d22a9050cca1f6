"""Sheets of the activity service: ids in the place of names before anything is sent there.

What goes out holds nothing that was not understood: ids, codes, days, numbers, at the cells where
they stood, so that what the other service finds wrong can be said at the cells of the file that
the clerk has. Columns not known are left out, but for whole numbers where a journal has answers.
"""

import csv
import io
from collections.abc import Sequence
from datetime import date, time
from typing import Any

import msgspec

from nastavnik_common.sheets.keys import identify
from nastavnik_common.sheets.reports import RowError
from nastavnik_common.sheets.rows import Row, Sheet
from nastavnik_common.sheets.table import Problem, Table
from nastavnik_registry.sheets.names import Names
from nastavnik_registry.sheets.units import Units

_OWN_KEYS = {"mentorships": "mentorship", "sessions": "session", "surveys": "survey"}
_PROBLEMS = {
    "person.unknown": Problem(
        hint="Такого человека нет в реестре организации. Выберите из списка или впишите код."
    ),
    "person.ambiguous": Problem(
        hint="Таких людей несколько. Выберите из списка: там после имени стоит код."
    ),
    "organization.unknown": Problem(hint="Организация не найдена.", field="organization"),
    "organization.ambiguous": Problem(
        hint="Так называется несколько организаций. Впишите ИНН или код.", field="organization"
    ),
}


def explained(table: Table) -> Table:
    """The journal's table, with what only the registry finds wrong."""
    fields = {column.field for column in table.columns}
    own = {
        code: problem
        for code, problem in _PROBLEMS.items()
        if problem.field is None or problem.field in fields
    }
    return msgspec.structs.replace(table, problems=table.problems | own)


def people_said(sheet: Sheet) -> set[str]:
    """All that stands in cells that name people."""
    found: set[str] = set()
    for column in sheet.table.columns:
        for row in sheet.rows:
            if (said := row[column.field]) and column.kind in ("person", "people"):
                found.update((said,) if isinstance(said, str) else said)
    return found


def resolved(
    sheet: Sheet, source: str, names: Names, units: Units
) -> tuple[bytes, list[RowError | None]]:
    """A CSV of the rows that could be resolved, and for each row why it could not."""
    outcomes: list[RowError | None] = []
    good: dict[int, dict[str, str]] = {}
    for row in sheet.rows:
        try:
            good[row.number] = _texts(sheet.table, row, source, names, units)
            outcomes.append(None)
        except RowError as error:
            outcomes.append(error)
    return _csv(sheet, good, names), outcomes


def _texts(table: Table, row: Row, source: str, names: Names, units: Units) -> dict[str, str]:
    found: dict[str, str] = {}
    for column in table.columns:
        said = row[column.field]
        if said is None:
            if column.kind == "organization":
                found[column.field] = str(units.of(None))
        elif column.kind in ("person", "people"):
            cells = (said,) if isinstance(said, str) else said
            found[column.field] = "; ".join(str(names.of(x, column.field)) for x in cells)
        elif column.kind == "organization":
            found[column.field] = str(units.of(said))
        elif column.kind == "key":
            kind = "mentorship" if column.field == "mentorship" else _OWN_KEYS[table.name]
            found[column.field] = str(identify(kind, source, said))
        else:
            found[column.field] = _plain(said, hours=column.kind == "hours")
    return found


def _plain(said: Any, *, hours: bool) -> str:
    if isinstance(said, date):
        return said.isoformat()
    if isinstance(said, time):
        return said.isoformat("minutes")
    if isinstance(said, tuple):
        return "; ".join(said)
    return f"{said // 60}:{said % 60:02d}" if hours else str(said)


def _csv(sheet: Sheet, good: dict[int, dict[str, str]], names: Names) -> bytes:
    """At the places where they stood; an organisation that only the upload names gets a column."""
    assert sheet.layout is not None
    places = dict(sheet.layout.columns)
    width = max((len(row) for row in sheet.grid.rows), default=0)
    for field in sorted({field for texts in good.values() for field in texts} - set(places)):
        places[field] = width
        width += 1
    answers = {} if sheet.table.name != "surveys" else _answers(sheet, names)
    heading = {at: field for field, at in places.items()} | answers
    lines = [[""] * width for _ in range(sheet.layout.header)]
    lines.append([heading.get(at, "") for at in range(width)])
    for number, cells in enumerate(sheet.grid.rows[len(lines) :], len(lines) + 1):
        texts = good.get(number, {})
        line = {places[field]: text for field, text in texts.items()}
        if texts:
            line |= {at: str(_whole(cells, at)) for at in answers if _whole(cells, at) is not None}
        lines.append([line.get(at, "") for at in range(width)])
    stream = io.StringIO()
    csv.writer(stream, delimiter=";").writerows(lines)
    return stream.getvalue().encode()


def _answers(sheet: Sheet, names: Names) -> dict[int, str]:
    """Unknown columns of whole numbers below a thousand: questions, and no names in their cells."""
    assert sheet.layout is not None
    below = sheet.grid.rows[sheet.layout.header + 1 :]
    heading = sheet.grid.rows[sheet.layout.header]
    return {
        at: str(heading[at])
        for at in sheet.layout.unknown
        if not names.mentioned(str(heading[at]))
        and all(_blank(row, at) or _whole(row, at) is not None for row in below)
        and not all(_blank(row, at) for row in below)
    }


def _blank(cells: Sequence[Any], at: int) -> bool:
    return at >= len(cells) or cells[at] in (None, "")


def _whole(cells: Sequence[Any], at: int) -> int | None:
    said = str(cells[at]).strip() if at < len(cells) and cells[at] is not None else ""
    number = said.removesuffix(".0").removesuffix(",0")
    return int(number) if number.lstrip("-").isdecimal() and len(number) <= 4 else None
