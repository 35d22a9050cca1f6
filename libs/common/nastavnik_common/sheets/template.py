"""Empty files to be filled in, with choices to pick from and a sheet that explains them."""

import csv
import io
from collections.abc import Sequence

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from nastavnik_common.sheets import layout, reading
from nastavnik_common.sheets.findings import SheetError
from nastavnik_common.sheets.markup import AUTHOR, put
from nastavnik_common.sheets.reading import PEOPLE
from nastavnik_common.sheets.table import Column, Table

LISTS, HELP, EXAMPLE = "Списки", "Как заполнять", "Пример"
_HEAD = PatternFill("solid", fgColor="FFDDEBF7")
_NEEDED = PatternFill("solid", fgColor="FFFFE699")
_FORMATS = {"date": "DD.MM.YYYY", "time": "HH:MM", "integer": "0", "hours": "0.00"}
_BOLD = Font(bold=True)
_WRAP = Alignment(wrap_text=True, vertical="top")
_ROWS = 1_000


def xlsx(table: Table) -> bytes:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = table.title
    _head(sheet, table)
    _validate(book, sheet, table)
    _help(book.create_sheet(HELP), table)
    example = book.create_sheet(EXAMPLE)
    _head(example, table)
    for index, column in enumerate(table.columns, 1):
        for number, said in enumerate(column.examples, 2):
            put(example, number, index, said)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def with_people(data: bytes, table: Table, people: Sequence[str]) -> bytes:
    """A workbook of the table with people to pick from in the columns that name them.

    SheetError ``file.*``, ``header.missing``.
    """
    file = reading.read(data)
    if file.kind != "xlsx" or not file.grids:
        raise SheetError("file.format")
    grid, found = layout.find(table, file.grids, {})
    if found is None:
        raise SheetError("header.missing", names=table.columns[0].title)
    book = load_workbook(io.BytesIO(data), keep_links=False)
    if PEOPLE in book.sheetnames:
        del book[PEOPLE]
    place = _list(book, PEOPLE, PEOPLE, people)
    for field, index in found.columns.items():
        column = table.column(field)
        if people and column.kind in ("person", "people"):
            # several people may be named in one cell, so there the list only offers
            rule = _listed(place, column, strict=column.kind == "person")
            letter = get_column_letter(index + 1)
            rule.add(f"{letter}{found.header + 2}:{letter}{found.header + 1 + _ROWS}")
            book[grid.sheet].add_data_validation(rule)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def csv_bytes(table: Table) -> bytes:
    """As Excel in Russian reads it: UTF-8 with a mark, semicolons. The heading alone."""
    stream = io.StringIO()
    csv.writer(stream, delimiter=";").writerow([column.title for column in table.columns])
    return stream.getvalue().encode("utf-8-sig")


def _head(sheet: Worksheet, table: Table) -> None:
    for index, column in enumerate(table.columns, 1):
        cell = put(sheet, 1, index, column.title)
        cell.font, cell.alignment = _BOLD, _WRAP
        cell.fill = _NEEDED if column.required else _HEAD
        if column.note:
            cell.comment = Comment(column.note, AUTHOR, width=300, height=120)
        dimension = sheet.column_dimensions[get_column_letter(index)]
        dimension.width = max(14, min(40, len(column.title) + 4))
        # keys keep their leading zeros only in columns of text
        dimension.number_format = _FORMATS.get(column.kind, "@")
    sheet.freeze_panes = "A2"


def _validate(book: Workbook, sheet: Worksheet, table: Table) -> None:
    for index, column in enumerate(table.columns, 1):
        rule = _rule(book, column)
        if rule is not None:
            place = get_column_letter(index)
            rule.add(f"{place}2:{place}{_ROWS}")
            sheet.add_data_validation(rule)


def _rule(book: Workbook, column: Column) -> DataValidation | None:
    if column.kind in ("choice", "choices"):
        names = [names[0] for names in column.choices.values()]
        place = _list(book, LISTS, column.title, names)
        return _listed(place, column, strict=column.kind == "choice" and not column.codes)
    if column.kind == "integer" and column.low is not None and column.high is not None:
        rule = DataValidation("whole", operator="between", allow_blank=True)
        rule.formula1, rule.formula2 = str(column.low), str(column.high)
        return _explained(rule, f"Целое число от {column.low} до {column.high}")
    if column.kind == "date":
        rule = DataValidation("date", operator="greaterThan", formula1="1", allow_blank=True)
        return _explained(rule, "Дата вида 01.09.2026")
    return None


def _listed(place: str, column: Column, *, strict: bool) -> DataValidation:
    rule = DataValidation("list", formula1=place, allow_blank=True)
    _explained(rule, f"{column.title}: выберите из списка")
    rule.showErrorMessage = strict
    return rule


def _explained(rule: DataValidation, said: str) -> DataValidation:
    rule.error, rule.errorTitle, rule.showErrorMessage = said[:255], "Проверьте значение", True
    return rule


def _list(book: Workbook, name: str, title: str, values: Sequence[str]) -> str:
    """A column of a hidden sheet, and the range that names it."""
    if name not in book.sheetnames:
        book.create_sheet(name).sheet_state = "hidden"
    sheet = book[name]
    index = sheet.max_column + 1 if sheet.cell(1, 1).value else 1
    put(sheet, 1, index, title)
    for number, value in enumerate(values, 2):
        put(sheet, number, index, value)
    letter = get_column_letter(index)
    return f"{quote_sheetname(name)}!${letter}$2:${letter}${len(values) + 1}"


def _help(sheet: Worksheet, table: Table) -> None:
    number = 1
    for said in table.about:
        put(sheet, number, 1, said)
        number += 1
    number += 1
    for index, title in enumerate(("Столбец", "Обязателен", "Что вписать", "Пример"), 1):
        put(sheet, number, index, title).font = _BOLD
    for column in table.columns:
        number += 1
        choices = ", ".join(names[0] for names in column.choices.values())
        note = ". ".join(said.rstrip(".") for said in (column.note, choices) if said)
        needed = "да" if column.required else ""
        example = column.examples[0] if column.examples else ""
        for index, value in enumerate((column.title, needed, note, example), 1):
            put(sheet, number, index, value).alignment = _WRAP
    for name, width in zip("ABCD", (32, 12, 70, 28), strict=True):
        sheet.column_dimensions[name].width = width
