"""XLSX: numbers as numbers, a header that stays, and a sheet that explains the columns."""

import tempfile
from collections.abc import Iterable
from typing import IO, Any

import xlsxwriter  # type: ignore[import-untyped]

from nastavnik_common.errors import DomainError
from nastavnik_metrics.exports.columns import COLUMNS, Kind
from nastavnik_metrics.exports.rows import Row

ROWS = 1_048_575
"""As many as a sheet can have under its header."""
IN_MEMORY = 1 << 20
_FORMATS: dict[Kind, str] = {"integer": "0", "moment": "dd.mm.yyyy hh:mm"}


class XlsxFile:
    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- handed on
        self._book = xlsxwriter.Workbook(self._file, {"constant_memory": True})
        self._bold = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._formats = [self._format(column.kind) for column in COLUMNS]
        self._sheet = self._book.add_worksheet("Показатели")
        self._prepare()
        self._next = 1

    def _format(self, kind: Kind) -> Any:
        return self._book.add_format({"num_format": _FORMATS[kind]} if kind in _FORMATS else {})

    def _prepare(self) -> None:
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(COLUMNS):
            self._sheet.set_column(place, place, column.width)
        for place, column in enumerate(COLUMNS):
            self._sheet.write_string(0, place, column.header, self._bold)

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if self._next > ROWS:
                self._book.close()
                raise DomainError("export.too_large", "More rows than a sheet can hold: use CSV.")
            self._add(row)
            self._next += 1

    def _add(self, row: Row) -> None:
        for place, (cell, column) in enumerate(zip(row, COLUMNS, strict=True)):
            if cell is None:
                continue
            write = {
                "text": self._sheet.write_string,
                "moment": self._sheet.write_datetime,
            }.get(column.kind, self._sheet.write_number)
            write(self._next, place, cell, self._formats[place])

    def finished(self) -> IO[bytes]:
        self._sheet.autofilter(0, 0, self._next - 1, len(COLUMNS) - 1)
        notes = self._book.add_worksheet("Описание столбцов")
        notes.set_column(0, 0, 26)
        notes.set_column(1, 1, 110)
        notes.freeze_panes(1, 0)
        about = [("Столбец", "Что в нём"), *((c.header, c.explanation) for c in COLUMNS)]
        for place, texts in enumerate(about):
            for beside, text in enumerate(texts):
                notes.write_string(place, beside, text, None if place else self._bold)
        self._book.close()
        self._file.seek(0)
        return self._file
