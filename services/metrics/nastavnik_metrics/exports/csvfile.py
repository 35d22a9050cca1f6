"""CSV as Russian spreadsheets open it: UTF-8 with BOM, semicolons, decimal commas, CRLF."""

import codecs
import csv
import io
import tempfile
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import IO

from nastavnik_metrics.exports.columns import COLUMNS
from nastavnik_metrics.exports.rows import Cell, Row

IN_MEMORY = 1 << 20


class CsvFile:
    media_type = "text/csv; charset=utf-8"

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- handed on
        self._file.write(codecs.BOM_UTF8)
        self.add([tuple(column.header for column in COLUMNS)])

    def add(self, rows: Iterable[Row]) -> None:
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
        writer.writerows([written(cell) for cell in row] for row in rows)
        self._file.write(text.getvalue().encode())

    def finished(self) -> IO[bytes]:
        self._file.seek(0)
        return self._file


def written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return harmless(cell)
        case datetime():
            return f"{cell:%d.%m.%Y %H:%M}"
        case int():
            return str(cell)
        case float():
            return (
                str(int(cell))
                if cell.is_integer()
                else f"{Decimal(repr(cell)):f}".replace(".", ",")
            )


def harmless(text: str) -> str:
    """What a spreadsheet would take for a formula gets an apostrophe before it."""
    risky = text.lstrip()[:1] in tuple("=+-@") or text[:1] in tuple("\t\r\n")
    return f"'{text}" if risky else text
