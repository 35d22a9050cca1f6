"""A copy of the file that says at every cell what is wrong with it."""

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from nastavnik_common.sheets.findings import Finding
from nastavnik_common.sheets.reading import File

AUTHOR = "Наставник"
SUMMARY = "Ошибки"
_RED = "FFFFC7CE"
_LISTED = 1_000


def marked(data: bytes, file: File, findings: Sequence[Finding]) -> bytes:
    """XLSX: the workbook as it was, or the CSV as a workbook, with a comment and a colour at each
    finding, and a sheet that lists them. What an earlier copy said is taken away."""
    if file.kind == "xlsx":
        book = load_workbook(io.BytesIO(data), keep_links=False)
        _clean(book)
    else:
        book = _copied(file)
    by_cell: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for finding in findings:
        if finding.sheet in book.sheetnames and finding.row:
            by_cell[finding.sheet, f"{finding.column or 'A'}{finding.row}"].append(finding.hint)
    for (sheet, place), hints in by_cell.items():
        _mark(book[sheet][place], hints)
    _list(book, findings)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def put(sheet: Worksheet, row: int, column: int, value: Any) -> Any:
    """A value as it is: a text that begins with = stays a text, never a formula."""
    cell = sheet.cell(row, column)
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"
    return cell


def _mark(cell: Any, hints: Iterable[str]) -> None:
    said = list(dict.fromkeys(hints))
    if cell.comment is not None:
        said.append(cell.comment.text)
    note = Comment("\n".join(said), AUTHOR, width=320, height=40 + 30 * len(said))
    cell.comment = note
    cell.fill = PatternFill("solid", fgColor=_RED)


def _clean(book: Workbook) -> None:
    if SUMMARY in book.sheetnames:
        del book[SUMMARY]
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.comment is not None and cell.comment.author == AUTHOR:
                    cell.comment = None
                if cell.fill.fill_type == "solid" and cell.fill.fgColor.rgb == _RED:
                    cell.fill = PatternFill()


def _copied(file: File) -> Workbook:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = file.grids[0].sheet
    for number, row in enumerate(file.grids[0].rows, 1):
        for index, value in enumerate(row, 1):
            if value != "":
                put(sheet, number, index, value).number_format = "@"
    return book


def _list(book: Workbook, findings: Sequence[Finding]) -> None:
    sheet = book.create_sheet(SUMMARY)
    for index, title in enumerate(("Лист", "Ячейка", "Что исправить", "Код"), 1):
        heading = put(sheet, 1, index, title)
        heading.font = copy(heading.font) + Font(bold=True)
    for number, finding in enumerate(findings[:_LISTED], 2):
        place = f"{finding.column or 'A'}{finding.row}" if finding.row else ""
        for index, value in enumerate((finding.sheet, place, finding.hint, finding.code), 1):
            put(sheet, number, index, value)
        if place:
            name = finding.sheet.replace("'", "''")
            sheet.cell(number, 2).hyperlink = f"#'{name}'!{place}"
    if len(findings) > _LISTED:
        put(sheet, _LISTED + 2, 3, f"… и ещё {len(findings) - _LISTED}")
    for name, width in zip("ABCD", (20, 10, 90, 26), strict=True):
        sheet.column_dimensions[name].width = width
