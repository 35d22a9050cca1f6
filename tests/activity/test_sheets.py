"""Spreadsheets of mentorships, sessions, surveys: dialects, errors at cells, all or nothing."""

import io
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from openpyxl import Workbook, load_workbook

from tests.activity import make, talk

Rows = list[list[Any]]
HEAD = ["Ключ встречи", "№ пары", "Дата проведения", "Время начала", "Часов", "Отсутствовали"]


def workbook(rows: Rows, title: str = "Журнал") -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def csv(rows: Rows, delimiter: str, encoding: str) -> bytes:
    return "\r\n".join(delimiter.join(map(str, row)) for row in rows).encode(encoding)


async def send(
    client: httpx.AsyncClient, table: str, content: bytes, **params: Any
) -> httpx.Response:
    return await client.post(
        f"/sheets/{table}", content=content, params=params, headers={"content-type": "text/csv"}
    )


async def report(
    client: httpx.AsyncClient, table: str, content: bytes, **params: Any
) -> dict[str, Any]:
    """Of a sheet that was not refused."""
    answer = await send(client, table, content, **params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def counts(found: dict[str, Any]) -> tuple[int, ...]:
    return tuple(found[name] for name in ("created", "changed", "unchanged", "waiting"))


def places(found: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(f["row"], f["column"], f["code"]) for f in found["findings"]]


@pytest.fixture
async def journal(client: httpx.AsyncClient, school: make.School) -> make.School:
    """A school with the pair П-1 of its first two people."""
    people = [str(p) for p in school.people]
    rows = [
        ["Ключ пары", "Форма наставничества", "Наставник", "Наставляемый", "Дата начала"],
        ["П-1", "Ученик - ученик", people[0], people[1], "01.09.2025"],
    ]
    found = await report(client, "mentorships", workbook(rows), organization_id=str(school.id))
    assert counts(found) == (1, 0, 0, 0)
    return school


DIALECTS = [
    *[(d, e) for d in (";", ",", "\t") for e in ("utf-8", "cp1251")],
    (";", "utf-8-sig"),
    ("\t", "utf-16"),
    (";", "cp866"),
]


async def test_csv_in_its_dialects(
    client: httpx.AsyncClient, journal: make.School, connection: asyncpg.Connection
) -> None:
    """Every one says the same, so that all but the first change nothing."""
    for number, (delimiter, encoding) in enumerate(DIALECTS):
        hours = '"0,75"' if delimiter == "," else "0,75"
        rows = [
            ["Журнал встреч школы", "", "", "", "", ""],
            HEAD,
            ["1", "П-1", "01.10.2025", "14:30", hours, ""],
            ["2", "П-1", "2025-10-02", "9.05", "1:30", ""],
            ["Итого", "", "", "", "2,25", ""],
        ]
        found = await report(client, "sessions", csv(rows, delimiter, encoding))
        assert counts(found) == ((2, 0, 0, 0) if number == 0 else (0, 0, 2, 0)), encoding
    first, second = await talk.values(connection, "sessions")
    assert (first["starts_at"], first["duration_minutes"]) == ("2025-10-01T14:30:00+03:00", 45)
    assert (second["starts_at"], second["duration_minutes"]) == ("2025-10-02T09:05:00+03:00", 90)


async def test_a_workbook_as_people_make_them(
    client: httpx.AsyncClient, journal: make.School, connection: asyncpg.Connection
) -> None:
    """A title above, numbers of columns under the heading, own columns, days as numbers."""
    rows: Rows = [
        ["Журнал встреч наставников", None],
        [],
        [None, "Ключ\u00a0встречи*", "Пара", "Дата", "Начало", "Минут", "Тема", "Отсутствовали"],
        [1, 2, 3, 4, 5, 6, 7, 8],
        [None, 101, "П-1", 45931, 0.625, "45,0", "о своём", str(journal.people[1])],
        [None, 101, "П-1", 45931, 0.625, "45,0", "о своём", str(journal.people[1])],
    ]
    found = await report(client, "sessions", workbook(rows), utc_offset="+07:00")
    assert counts(found) == (1, 0, 0, 0)
    assert (found["rows"], found["repeated"], found["ignored_columns"]) == (2, 1, ["G"])
    (state,) = await talk.values(connection, "sessions")
    assert state["starts_at"] == "2025-10-01T15:00:00+07:00"
    attended = {a["participant_id"]: a["attended"] for a in state["attendance"]}
    assert attended == {str(journal.people[0]): True, str(journal.people[1]): False}


BAD: Rows = [
    HEAD,
    ["1", "П-1", "01.10.2025", "14:30", "0,75", ""],
    ["2", "П-1", "1.10.25", "25:00", "", "Иванов Пётр"],
    ["3", "П-9", "01.10.2025", "16:00", "1", ""],
    ["", "П-1", "01.10.2025", "17:00", "1", ""],
    ["1", "П-1", "02.10.2025", "14:30", "0,75", ""],
    ["4", "П-1", "01.10.2025", "18:00", "1", "Иванов Пётр"],
]
WRONG = [
    (3, "C", "cell.date_short_year"),
    (3, "D", "cell.time"),
    (4, "B", "mentorship.unknown"),
    (5, "A", "cell.required"),
    (6, "A", "row.repeated_key"),
    (7, "F", "cell.person"),
]


async def test_nothing_is_applied_while_something_is_wrong(
    client: httpx.AsyncClient, journal: make.School, connection: asyncpg.Connection
) -> None:
    answer = await send(client, "sessions", workbook(BAD))
    assert talk.code(answer) == (422, "sheet.refused")
    found = answer.json()["report"]
    assert (found["outcome"], places(found)) == ("refused", WRONG)
    assert "Иванов" not in answer.text
    assert await talk.events(connection, "sessions") == []

    dry = await report(client, "sessions", workbook(BAD), dry_run=True)
    assert (dry["outcome"], dry["created"], places(dry)) == ("checked", 1, WRONG)
    assert await talk.events(connection, "sessions") == []

    part = await report(client, "sessions", workbook(BAD), partial=True)
    assert (part["outcome"], counts(part), places(part)) == ("applied", (1, 0, 0, 0), WRONG)
    assert len(await talk.events(connection, "sessions")) == 1


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
async def test_errors_stand_at_the_cells_of_a_copy(
    client: httpx.AsyncClient, journal: make.School, kind: str
) -> None:
    content = workbook(BAD) if kind == "xlsx" else csv(BAD, ";", "cp1251")
    answer = await send(client, "sessions", content, report="file")
    assert answer.status_code == 422
    book = load_workbook(io.BytesIO(answer.content))
    sheet = book["Журнал" if kind == "xlsx" else "CSV"]
    marked = {c.coordinate: c for row in sheet.iter_rows() for c in row if c.comment}
    assert set(marked) == {f"{column}{row}" for row, column, _ in WRONG}
    assert [c.comment.text for c in marked.values() if c.comment][1] == "Нужно время вида 14:30."
    assert {cell.fill.fgColor.rgb for cell in marked.values()} == {"FFFFC7CE"}
    assert [[c.value for c in row] for row in sheet.iter_rows(max_row=2)][1][:2] == ["1", "П-1"]
    assert book["Ошибки"].cell(2, 2).value == "C3"

    # mended in the copy, it is taken, and the marks of before are gone from the next one
    for place, value in {"C3": "03.10.2025", "D3": "15:00", "E3": "1", "F3": None}.items():
        sheet[place].value = value
    sheet.delete_rows(5, 3)
    stream = io.BytesIO()
    book.save(stream)
    answer = await send(client, "sessions", stream.getvalue(), report="file")
    again = load_workbook(io.BytesIO(answer.content))[sheet.title]
    assert [c.coordinate for row in again.iter_rows() for c in row if c.comment] == ["B4"]


async def test_columns_are_mapped_by_what_is_sent_along(
    client: httpx.AsyncClient, journal: make.School
) -> None:
    rows: Rows = [
        ["Запись", "Кто с кем", "Когда", "Во сколько", "Сколько"],
        ["1", "П-1", "01.10.2025", "14:30", 45],
    ]
    mapping = (
        '{"Запись": "key", "кто с кем": "mentorship", "Когда": "date", "Во сколько": "time",'
        ' "Сколько": "minutes"}'
    )
    assert talk.code(await send(client, "sessions", workbook(rows)))[1] == "sheet.refused"
    found = await report(client, "sessions", workbook(rows), mapping=mapping)
    assert counts(found) == (1, 0, 0, 0)
    wrong = await send(client, "sessions", workbook(rows), mapping='{"Запись": "nothing"}')
    assert talk.code(wrong) == (422, "header.mapping")
    assert talk.code(await send(client, "sessions", b"x", mapping="[1]"))[1] == "sheet.mapping"


async def test_a_corrected_row_corrects_and_an_overlap_waits(
    client: httpx.AsyncClient, journal: make.School
) -> None:
    row: list[Any] = ["1", "П-1", "01.10.2025", "14:30", "0,75", ""]
    await report(client, "sessions", workbook([HEAD, row]))
    row[4] = "1"
    overlapping: list[Any] = ["2", "П-1", "01.10.2025", "15:00", "1", ""]
    found = await report(client, "sessions", workbook([HEAD, row, overlapping]))
    assert counts(found) == (0, 1, 0, 1)
    assert len((await client.get("/sessions/reviews")).json()["items"]) == 1


async def test_surveys_by_their_questions(
    client: httpx.AsyncClient, journal: make.School, connection: asyncpg.Connection
) -> None:
    answer = await client.get("/templates/surveys.xlsx", params={"questionnaire": "motivation"})
    book = load_workbook(io.BytesIO(answer.content))
    sheet = book.worksheets[0]
    assert "Мне интересно" in str(sheet.cell(1, 6).value)
    said: list[Any] = ["А-1", "П-1", str(journal.people[1]), "на входе", "10.09.2025"]
    for index, given in enumerate([*said, 5, 4, 3, 4, 2], 1):
        sheet.cell(2, index).value = given
    stream = io.BytesIO()
    book.save(stream)
    for expected in ((1, 0, 0, 0), (0, 0, 1, 0)):
        found = await report(client, "surveys", stream.getvalue(), questionnaire="motivation")
        assert counts(found) == expected
    sheet.cell(2, 6).value = 9
    stream = io.BytesIO()
    book.save(stream)
    refused = await send(client, "surveys", stream.getvalue(), questionnaire="motivation")
    assert places(refused.json()["report"]) == [(2, "F", "cell.range")]
    (state,) = await talk.values(connection, "surveys")
    assert state["scores"] == [{"scale": "motivation", "value": 750}]


@pytest.mark.parametrize("name", ["mentorships", "sessions"])
async def test_templates_come_back_with_choices(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/templates/{name}.xlsx")
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
    book = load_workbook(io.BytesIO(answer.content))
    assert {"Как заполнять", "Пример", "Списки"} < set(book.sheetnames)
    sheet = book.worksheets[0]
    assert sheet.data_validations.dataValidation
    empty = await send(client, name, answer.content)
    assert [f["code"] for f in empty.json()["report"]["findings"]] == ["sheet.no_rows"]
    heading = (await client.get(f"/templates/{name}.csv")).content.decode("utf-8-sig").strip()
    assert heading.split(";") == [cell.value for cell in sheet[1]]


async def test_an_upload_may_be_a_form_and_is_repeatable(
    client: httpx.AsyncClient, journal: make.School
) -> None:
    content = workbook([HEAD, ["1", "П-1", "01.10.2025", "14:30", "1", ""]])
    answer = await client.post("/sheets/sessions", files={"file": ("a.xlsx", content)})
    assert counts(answer.json()) == (1, 0, 0, 0)
    assert UUID((await client.get("/sessions")).json()["items"][0]["id"]).version == 5
