"""What a cell says, by the kind of its column. CellError for what it cannot mean."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from nastavnik_common import clock
from nastavnik_common.sheets import codes
from nastavnik_common.sheets.findings import CellError
from nastavnik_common.sheets.reading import Cell
from nastavnik_common.sheets.table import Column
from nastavnik_common.sheets.words import fold, tidy

_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_TAIL = re.compile(r"(\s*(г\.?|года)|[ T]0?0:00(:00)?(\.0+)?)$")
_TIME = re.compile(r"(\d{1,2})[:.\-](\d{2})(?:[:.]\d{2})?")
_NUMBER = re.compile(r"[+-]?\d{1,15}([.,]\d{1,9})?")
_YEARS = re.compile(r"(\d{4})\s*[/\-–—]\s*(\d{4}|\d{2})(\s*(уч\.?|учебный)?\s*(г\.?|год)?)?")
_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;.]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CODE = re.compile(r"[a-z][a-z0-9_]{1,62}")
_EMPTY = frozenset({"", "-", "–", "—"})
_EPOCH, _MAC_EPOCH = date(1899, 12, 30), date(1904, 1, 1)
_SERIAL = range(3_654, 80_000)
"""Numbers that are days: from 1910 to 2119. Smaller ones are rather years or counts."""
SEPARATORS = re.compile(r"[;\n]+")


def value(column: Column, cell: Cell, *, mac: bool = False) -> Any:
    """The cell's value; None when it is empty."""
    if isinstance(cell, str):
        if _CONTROL.search(cell):
            raise CellError("cell.control")
        if cell.startswith("#") and cell.strip().endswith(("!", "?", "/A", "/Д", "/0!")):
            raise CellError("cell.formula_error")
    # a dash is an empty cell, but where something is to be chosen it may be meant for a "no"
    if tidy(cell) in ({""} if column.kind == "choice" else _EMPTY):
        if column.required:
            raise CellError("cell.required", name=column.title)
        return None
    if column.kind == "date":
        return day(cell, mac=mac)
    return _READERS[column.kind](column, cell)


def day(cell: Cell, *, mac: bool = False) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    said = _TAIL.sub("", tidy(cell))
    if re.fullmatch(r"\d{4,5}([.,]0+)?", said) and int(re.split("[.,]", said)[0]) in _SERIAL:
        return (_MAC_EPOCH if mac else _EPOCH) + timedelta(days=int(re.split("[.,]", said)[0]))
    if found := _ISO.fullmatch(said):
        return _date(*map(int, found.groups()))
    if found := _DAY_FIRST.fullmatch(said):
        if len(found[3]) == 2:
            raise CellError("cell.date_short_year")
        return _date(int(found[3]), int(found[2]), int(found[1]))
    raise CellError("cell.date")


def _date(year: int, month: int, day_of_month: int) -> date:
    try:
        return date(year, month, day_of_month)
    except ValueError:
        raise CellError("cell.date") from None


def _text(column: Column, cell: Cell) -> str:
    if isinstance(cell, datetime):
        cell = cell.date()
    said = tidy(cell)
    if len(said) > column.longest:
        raise CellError("cell.too_long", limit=column.longest)
    return said


def _clock(_: Column, cell: Cell) -> time:
    if isinstance(cell, datetime):
        cell = cell.time()
    if isinstance(cell, time):
        return cell.replace(microsecond=0, tzinfo=None)
    if isinstance(cell, float) and 0 <= cell < 1:
        minutes = round(cell * 24 * 60)
        return time(minutes // 60 % 24, minutes % 60)
    found = _TIME.fullmatch(tidy(cell))
    if found and int(found[1]) < 24 and int(found[2]) < 60:
        return time(int(found[1]), int(found[2]))
    raise CellError("cell.time")


def _number(cell: Cell, code: str) -> float:
    if isinstance(cell, bool | date | time):
        raise CellError(code)
    said = tidy(cell).replace(" ", "")
    if not _NUMBER.fullmatch(said):
        raise CellError(code)
    return float(said.replace(",", "."))


def _integer(column: Column, cell: Cell) -> int:
    found = _number(cell, "cell.integer")
    if not found.is_integer():
        raise CellError("cell.integer")
    return _within(column, int(found))


def _hours(column: Column, cell: Cell) -> int:
    """Hours as a decimal, or h:mm → whole minutes."""
    if isinstance(cell, time):
        return _within(column, cell.hour * 60 + cell.minute)
    if found := re.fullmatch(r"(\d{1,2}):(\d{2})(:00)?", tidy(cell)):
        return _within(column, int(found[1]) * 60 + int(found[2]))
    return _within(column, round(_number(cell, "cell.decimal") * 60))


def _within(column: Column, found: int) -> int:
    low, high = column.low, column.high
    if (low is not None and found < low) or (high is not None and found > high):
        raise CellError("cell.range", low=low, high=high)
    return found


def _choice(column: Column, cell: Cell) -> str:
    said = fold("да" if cell is True else "нет" if cell is False else cell)
    for code, names in column.choices.items():
        if said == fold(code) or said in map(fold, names):
            return code
    if column.codes and _CODE.fullmatch(tidy(cell)):
        return tidy(cell)
    raise CellError("cell.choice", names=", ".join(names[0] for names in column.choices.values()))


def _choices(column: Column, cell: Cell) -> tuple[str, ...]:
    parts = re.split(r"[;,\n]+", str(cell))
    return tuple(dict.fromkeys(_choice(column, part) for part in parts if tidy(part)))


def _checked(check: Callable[[str], bool], code: str, *lengths: int) -> Any:
    """`lengths` a number may have; a cell that holds it as a number has lost its leading zero."""

    def read(_: Column, cell: Cell) -> str:
        digits = re.sub(r"[\s.\-–—]", "", tidy(cell))
        if len(digits) + 1 in lengths:
            digits = "0" + digits
        if not check(digits):
            raise CellError(code)
        return digits

    return read


def _email(column: Column, cell: Cell) -> str:
    said = _text(column, cell)
    if not _EMAIL.fullmatch(said):
        raise CellError("cell.email")
    return said


def _school_year(_: Column, cell: Cell) -> str:
    found = _YEARS.fullmatch(tidy(cell).casefold())
    if found and (int(found[1]) + 1) % 100 == int(found[2]) % 100 and 1990 <= int(found[1]) < 2200:
        return clock.label(int(found[1]))
    raise CellError("cell.school_year")


def _people(column: Column, cell: Cell) -> tuple[str, ...]:
    parts = [tidy(part) for part in SEPARATORS.split(str(cell))]
    found = [_text(column, part) for part in parts if part]
    if len({fold(one) for one in found}) != len(found):
        raise CellError("cell.person_twice")
    return tuple(found)


_READERS: dict[str, Callable[[Column, Cell], Any]] = {
    "text": _text,
    "key": _text,
    "time": _clock,
    "integer": _integer,
    "hours": _hours,
    "choice": _choice,
    "choices": _choices,
    "snils": _checked(codes.snils, "cell.snils", 11),
    "inn": _checked(codes.inn, "cell.inn", 10, 12),
    "ogrn": _checked(codes.ogrn, "cell.ogrn", 13, 15),
    "email": _email,
    "school_year": _school_year,
    "person": _text,
    "people": _people,
    "organization": _text,
}
