"""A file → grids of cells, within limits: what is unpacked, how many rows, how many columns."""

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, Literal, NamedTuple

from openpyxl import load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from nastavnik_common.sheets import text
from nastavnik_common.sheets.findings import SheetError

MAX_UNPACKED = 64 * 1024 * 1024
MAX_ROWS = 20_000
MAX_COLUMNS = 300
MAX_SHEETS = 20
OURS = frozenset({"Как заполнять", "Пример", "Списки", "Люди", "Ошибки"})
"""Sheets that we put into workbooks ourselves; they hold no data."""
PEOPLE = "Люди"
ZIP = b"PK\x03\x04"
_BLOCK = 1024 * 1024

Cell = str | int | float | bool | date | datetime | time | None


class Grid(NamedTuple):
    """A sheet from its first row and column on. `mac`: numbers of days count from 1904."""

    sheet: str
    rows: list[list[Cell]]
    mac: bool = False


class File(NamedTuple):
    kind: Literal["xlsx", "csv"]
    grids: list[Grid]
    sheets: frozenset[str]
    """Names of all sheets, those we ignore included."""


def read(data: bytes) -> File:
    """Raises SheetError ``file.*``."""
    if not data.strip():
        raise SheetError("file.empty")
    if data.startswith(ZIP):
        check_archive(data)
        return _workbook(data)
    if data.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"<?xml", b"<html")):
        raise SheetError("file.format")
    rows: list[list[Cell]] = [list(row) for row in text.parse(text.decode(data))]
    _check_size(len(rows), max(map(len, rows), default=0))
    return File("csv", [Grid("CSV", rows)], frozenset())


def check_archive(data: bytes) -> None:
    """Unpack it once, counting: what the archive says of its sizes may be a lie."""
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                with archive.open(name) as part:
                    while block := part.read(_BLOCK):
                        total += len(block)
                        if total > MAX_UNPACKED:
                            raise SheetError("file.too_large", limit=MAX_UNPACKED >> 20)
            if "[Content_Types].xml" not in archive.namelist():
                raise SheetError("file.format")
    except SheetError:
        raise
    except Exception:  # zipfile, zlib and lzma each have errors of their own
        raise SheetError("file.broken") from None


def _workbook(data: bytes) -> File:
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        mac = book.epoch == CALENDAR_MAC_1904
        sheets = [
            Grid(sheet.title, list(_rows(sheet)), mac)
            for sheet in book.worksheets[:MAX_SHEETS]
            if sheet.sheet_state == "visible" and sheet.title not in OURS
        ]
        return File("xlsx", sheets, frozenset(book.sheetnames))
    except SheetError:
        raise
    except Exception:  # openpyxl raises whatever a malformed part makes its parser raise
        raise SheetError("file.broken") from None


def _rows(sheet: Any) -> Iterator[list[Cell]]:
    """Without the empty end of each row. One row and column more than allowed are asked for."""
    sheet.reset_dimensions()  # what the file says of them may be wrong
    found = sheet.iter_rows(max_row=MAX_ROWS + 1, max_col=MAX_COLUMNS + 1, values_only=True)
    for number, row in enumerate(found, 1):
        cells = list(row)
        while cells and cells[-1] is None:
            cells.pop()
        _check_size(number, len(cells))
        yield cells


def _check_size(rows: int, columns: int) -> None:
    if rows > MAX_ROWS:
        raise SheetError("file.too_many_rows", limit=MAX_ROWS)
    if columns > MAX_COLUMNS:
        raise SheetError("file.too_many_columns", limit=MAX_COLUMNS)
