"""Reading of spreadsheets: hostile files, check digits, what cells may mean."""

import io
import zipfile
from datetime import date, datetime, time
from typing import Any

import pytest
from openpyxl import Workbook

from nastavnik_common.sheets import cells, codes, journals, layout, reading, rows, text
from nastavnik_common.sheets.findings import CellError, SheetError
from nastavnik_common.sheets.table import Column, Table, checked

SHEET = "xl/worksheets/sheet1.xml"
SMALL = Table(
    name="small",
    title="Малая",
    about=(),
    identity=("key",),
    columns=(
        Column(field="key", title="Ключ"),
        Column(field="day", title="Дата", kind="date"),
    ),
)


def workbook(**replaced: bytes) -> bytes:
    """A workbook of one cell; parts of it replaced, by path with __ for /."""
    book = Workbook()
    book.worksheets[0].append(["Ключ", "Дата"])
    book.save(stream := io.BytesIO())
    parts = {name.replace("__", "/"): content for name, content in replaced.items()}
    made = io.BytesIO()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts.get(name, old.read(name)))
    return made.getvalue()


def sheet_xml(inside: str, doctype: str = "") -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return (
        f'<?xml version="1.0"?>{doctype}<worksheet xmlns="{main}">'
        f"<sheetData>{inside}</sheetData></worksheet>"
    ).encode()


def part(content: bytes) -> bytes:
    return workbook(**{SHEET.replace("/", "__"): content})


BILLION = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file.empty"),
        (b" \n", "file.empty"),
        (b"%PDF-1.7", "file.format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file.format"),
        (b"PK\x03\x04 and then nothing", "file.broken"),
        (workbook()[:-30], "file.broken"),
        (part(b"<not xml"), "file.broken"),
        (
            part(sheet_xml('<row r="1"><c r="A1" t="str"><v>&b;</v></c></row>', BILLION)),
            "file.broken",
        ),
        (
            part(sheet_xml('<row r="1"><c r="A1" t="str"><v>&a;</v></c></row>', OUTSIDE)),
            "file.broken",
        ),
        (
            part(sheet_xml('<row r="1048576"><c r="A1048576"><v>1</v></c></row>')),
            "file.too_many_rows",
        ),
        (part(b" " * (reading.MAX_UNPACKED + 1)), "file.too_large"),
        (b"a;b\n" * (reading.MAX_ROWS + 1), "file.too_many_rows"),
        (b";" * (reading.MAX_COLUMNS + 1), "file.too_many_columns"),
        ("а;б".encode("utf-16") + b"\0", "file.encoding"),
    ],
)
def test_hostile_and_broken_files_are_refused(content: bytes, code: str) -> None:
    with pytest.raises(SheetError) as refused:
        reading.read(content)
    assert refused.value.code == code


def test_a_cell_far_to_the_right_costs_nothing() -> None:
    """It is beyond all columns that are looked at, and no row of its length is made."""
    far = part(sheet_xml('<row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>1</v></c></row>'))
    assert reading.read(far).grids[0].rows == [[1]]


def test_what_an_archive_says_of_its_sizes_is_not_believed() -> None:
    big = part(b" " * (reading.MAX_UNPACKED + 1))
    at = big.rindex(SHEET.encode()) - 46 + 24  # the unpacked size in the central directory
    with pytest.raises(SheetError):
        reading.read(big[:at] + (100).to_bytes(4, "little") + big[at + 4 :])


def test_check_digits() -> None:
    assert codes.snils("11223344595")
    assert not codes.snils("11223344596")
    assert not codes.snils("00000000000")
    assert codes.inn("7707083893")
    assert not codes.inn("7707083894")
    assert codes.inn("500100732259")
    assert not codes.inn("0000000000")
    assert codes.ogrn("1027700132195")
    assert not codes.ogrn("1027700132196")
    assert codes.ogrn("304500116000157")
    assert not codes.ogrn("")


def read(kind: Any, cell: Any, **more: Any) -> Any:
    return cells.value(Column(field="x", title="Икс", kind=kind, **more), cell)


@pytest.mark.parametrize(
    ("kind", "cell", "meant"),
    [
        ("date", "01.09.2026", date(2026, 9, 1)),
        ("date", " 1/9/2026 г.", date(2026, 9, 1)),
        ("date", "2026-09-01 00:00:00", date(2026, 9, 1)),
        ("date", datetime(2026, 9, 1), date(2026, 9, 1)),  # noqa: DTZ001 - as workbooks give it
        ("date", 46266, date(2026, 9, 1)),
        ("date", "46266", date(2026, 9, 1)),
        ("time", "9.05", time(9, 5)),
        ("time", 0.625, time(15)),
        ("integer", "1\u00a0024,0", 1024),
        ("hours", "1,5", 90),
        ("hours", "0:45", 45),
        ("snils", 11223344595, "11223344595"),
        ("inn", 275013660, "0275013660"),
        ("school_year", "2026 – 2027 уч. г.", "2026/27"),
        ("text", 12.0, "12"),
        ("text", " Ёлкина\u00a0 Алёна ", "Ёлкина Алёна"),
        ("people", "а; б\nв", ("а", "б", "в")),
        ("text", "—", None),
    ],
)
def test_what_cells_mean(kind: str, cell: Any, meant: Any) -> None:
    assert read(kind, cell) == meant


@pytest.mark.parametrize(
    ("kind", "cell", "code"),
    [
        ("date", "31.02.2026", "cell.date"),
        ("date", "1.9.26", "cell.date_short_year"),
        ("date", 2026, "cell.date"),
        ("time", "24:00", "cell.time"),
        ("integer", "1,5", "cell.integer"),
        ("integer", True, "cell.integer"),
        ("text", "#N/A", "cell.formula_error"),
        ("text", "a\x00b", "cell.control"),
        ("text", "a" * 256, "cell.too_long"),
        ("people", "Ёж; еж", "cell.person_twice"),
        ("school_year", "2026/28", "cell.school_year"),
        ("email", "a@b", "cell.email"),
        ("snils", "12345", "cell.snils"),
    ],
)
def test_what_cells_cannot_mean(kind: str, cell: Any, code: str) -> None:
    with pytest.raises(CellError) as refused:
        read(kind, cell)
    assert refused.value.code == code


def test_a_dash_for_a_choice_is_not_taken_for_an_empty_cell() -> None:
    """In a journal it may mean that there was no session: nobody guesses."""
    held = journals.table("sessions").column("status")
    assert cells.value(held, "+") == "held"
    with pytest.raises(CellError):
        cells.value(held, "–")


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_delimiters_are_guessed_and_said(delimiter: str) -> None:
    lines = ["Ключ", "Дата", "Заметка, с запятой"]
    quoted = delimiter.join(f'"{cell}"' for cell in lines)
    assert text.parse(f"{quoted}\n{quoted}\n")[1] == lines
    assert text.parse(f"sep={delimiter}\n{quoted}")[1] == lines


def test_a_heading_is_found_below_other_rows_and_on_another_sheet() -> None:
    grid = reading.Grid("Б", [["Отчёт"], [], [None, "ДАТА:", "ключ *", "Прочее"]])
    chosen, found = layout.find(SMALL, [reading.Grid("А", [["Ключ"]]), grid], {})
    assert (chosen.sheet, found and found.header) == ("Б", 2)
    assert found is not None
    assert (found.columns, found.unknown) == ({"day": 1, "key": 2}, [3])


def test_headings_that_are_there_twice_stop_everything() -> None:
    file = reading.File("csv", [reading.Grid("CSV", [["Ключ", "Дата", "key"], ["1"]])], frozenset())
    sheet = rows.parse(SMALL, file, {})
    assert [(f.row, f.column, f.code) for f in sheet.findings] == [(1, "C", "header.twice")]
    assert sheet.broken


def test_tables_hold_together() -> None:
    for name in journals.NAMES:
        checked(journals.table(name))
    same = (*SMALL.columns, Column(field="other", title="ДАТА"))
    with pytest.raises(ValueError, match="other"):
        checked(Table(name="x", title="x", about=(), identity=(), columns=same))
