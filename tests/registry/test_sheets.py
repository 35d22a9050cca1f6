"""Spreadsheets of participants and headcounts, and ids for names in the sheets of others."""

import io
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from openpyxl import Workbook, load_workbook

from nastavnik_common.auth import Role
from nastavnik_common.sheets import journals
from nastavnik_common.sheets.keys import identify
from tests import tokens
from tests.registry.conftest import Events, Made

Rows = list[list[Any]]
PEOPLE = ["Код участника", "Фамилия", "Имя", "Отчество", "Дата рождения", "Категория", "СНИЛС"]
ELKINA = ["Л-1", "Ёлкина", "Алёна", "Семёновна", "12.03.2010", "ученица", "112-233-445 95"]
ORLOV = ["Т-2", "Орлов", "Пётр", None, "01.09.1985", "учитель", None]


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


async def send(
    client: httpx.AsyncClient, table: str, content: bytes, **params: Any
) -> httpx.Response:
    return await client.post(f"/sheets/{table}", content=content, params=params)


async def report(
    client: httpx.AsyncClient, table: str, content: bytes, **params: Any
) -> dict[str, Any]:
    """Of a sheet that was not refused."""
    answer = await send(client, table, content, **params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def counts(found: dict[str, Any]) -> tuple[int, ...]:
    return tuple(found[name] for name in ("created", "changed", "unchanged"))


def places(answer: httpx.Response) -> list[tuple[int, str, str]]:
    assert answer.status_code == 422, answer.text
    findings = answer.json()["report"]["findings"]
    return [(f["row"], f["column"], f["code"]) for f in findings]


@pytest.fixture
async def school(make: Made) -> str:
    return str((await make.school(name="Лицей № 3", inn="7707083893"))["id"])


async def people(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """By family name."""
    items = (await client.get("/participants")).json()["items"]
    return {item["family_name"]: item for item in items}


async def test_people_are_registered_once_and_changed_by_their_key(
    client: httpx.AsyncClient, school: str, events: Events
) -> None:
    sent = workbook(PEOPLE, ELKINA, ORLOV)
    params = {"organization_id": school, "source": "school3"}
    assert counts(await report(client, "participants", sent, **params)) == (2, 0, 0)
    assert counts(await report(client, "participants", sent, **params)) == (0, 0, 2)
    made = await people(client)
    assert made["Ёлкина"]["external_ids"] == [
        {"source": "school3", "id": "Л-1"},
        {"source": "snils", "id": "11223344595"},
    ]
    married = [*ELKINA[:1], "Орлова", *ELKINA[2:]]
    assert counts(await report(client, "participants", workbook(PEOPLE, married), **params)) == (
        0,
        1,
        0,
    )
    assert (await people(client))["Орлова"]["id"] == made["Ёлкина"]["id"]
    happened = [event for event in await events() if event.topic == "nastavnik.participants"]
    assert [event.type.split(".")[2] for event in happened] == [
        "registered",
        "registered",
        "changed",
    ]
    assert "лкина" not in str(happened)


async def test_without_keys_people_are_known_by_name_and_birth_date(
    client: httpx.AsyncClient, school: str
) -> None:
    head, params = PEOPLE[1:6], {"organization_id": school}
    first = workbook(head, ELKINA[1:6], ORLOV[1:6])
    assert counts(await report(client, "participants", first, **params)) == (2, 0, 0)
    again = ["ЕЛКИНА", "Алена", "Семеновна", "2010-03-12", "Школьник"]
    found = await report(client, "participants", workbook(head, again), **params, dry_run=True)
    assert found["created"] == 0
    linked = await report(client, "participants", workbook(PEOPLE, ELKINA), **params)
    assert counts(linked) == (0, 1, 0)  # the key and the СНИЛС are added
    nobody = workbook(head, ["Лис", "Анна", None, None, "ученик"])
    assert places(await send(client, "participants", nobody, **params)) == [
        (2, "D", "participant.unidentified")
    ]


async def test_errors_are_named_at_the_cell_and_nothing_is_applied(
    client: httpx.AsyncClient, school: str
) -> None:
    rows: Rows = [
        [*PEOPLE, "Организация"],
        [*ELKINA[:6], "112-233-445 96", "Лицей №3"],
        [*ORLOV, "Школа, которой нет"],
        ["Л-3", "Дуб", "Иван", None, "31.02.2010", "космонавт", None, "7707083893"],
        ["Л-4", "", "Ива", None, "1.2.2010", "ученик", None, "лицей № 3"],
        ["Л-5", "Клён", "Лев", None, "1.2.2030", "ученик", None, "ЛИЦЕЙ № 3"],
    ]
    answer = await send(client, "participants", workbook(*rows))
    assert places(answer) == [
        (2, "G", "cell.snils"),
        (3, "H", "organization.unknown"),
        (4, "E", "cell.date"),
        (4, "F", "cell.choice"),
        (5, "B", "cell.required"),
        (6, "E", "participant.birth_date"),
    ]
    assert "Дуб" not in answer.text
    assert await people(client) == {}
    part = await report(client, "participants", workbook(*rows[:1], *rows[3:]), partial=True)
    assert (part["created"], part["rows"]) == (0, 3)
    copy = await send(client, "participants", workbook(*rows), report="file")
    sheet = load_workbook(io.BytesIO(copy.content)).worksheets[0]
    comment = sheet["G2"].comment
    assert comment is not None
    assert comment.text.startswith("СНИЛС с ошибкой")


async def test_a_move_needs_its_day_and_ends_the_home_before(
    client: httpx.AsyncClient, school: str, make: Made
) -> None:
    await report(client, "participants", workbook(PEOPLE, ELKINA), organization_id=school)
    other = str((await make.school(name="Гимназия № 7"))["id"])
    sent = workbook(PEOPLE, ELKINA)
    assert places(await send(client, "participants", sent, organization_id=other)) == [
        (2, "A", "participant.since_needed")
    ]
    dated = workbook([*PEOPLE, "Дата зачисления"], [*ELKINA, "01.09.2026"])
    for expected in ((0, 1, 0), (0, 0, 1)):
        found = await report(client, "participants", dated, organization_id=other)
        assert counts(found) == expected
    homes = (await people(client))["Ёлкина"]["memberships"]
    assert {m["organization_id"]: (m["since"], m["until"]) for m in homes} == {
        school: (None, "2026-09-01"),
        other: ("2026-09-01", None),
    }


async def test_headcounts_are_entered_and_corrected(client: httpx.AsyncClient, school: str) -> None:
    head = ["Организация", "Уч. год", "Категория", "Всего человек", "Отчёт", "По состоянию на"]
    rows: Rows = [
        ["Лицей № 3", "2026/2027", "учащиеся", "1 024", "ОО-1", "20.09.2026"],
        [7707083893, "2026–27 уч. г.", "педагоги", "63,0", "ОО-1", 46285],
    ]
    assert counts(await report(client, "headcounts", workbook(head, *rows))) == (2, 0, 0)
    rows[0][3] = 1025
    assert counts(await report(client, "headcounts", workbook(head, *rows))) == (0, 1, 1)
    items = (await client.get("/reference-counts")).json()["items"]
    assert {(i["population"], i["headcount"], i["as_of"]) for i in items} == {
        ("students", 1025, "2026-09-20"),
        ("staff", 63, "2026-09-20"),
    }


async def test_names_become_ids_before_a_journal_goes_on(
    client: httpx.AsyncClient, school: str
) -> None:
    params = {"organization_id": school, "source": "school3"}
    await report(client, "participants", workbook(PEOPLE, ELKINA, ORLOV), **params)
    known = await people(client)
    ids = {name: item["id"] for name, item in known.items()}
    head = ["Номер пары", "Форма", "ФИО наставника", "Наставляемые", "Заметки", "Начало"]
    rows: Rows = [
        ["Пары лицея"],
        head,
        [
            "Орлов и Ёлкина",
            "педагог – педагог",
            "Орлов Петр",
            f"х · {ids['Ёлкина'][:8]}",
            "Орлов",
            46266,
        ],
        ["П-2", "student_student", "Т-2", "елкина алена семеновна", "секрет", "01.09.2026"],
    ]
    answer = await send(client, "mentorships:resolve", workbook(*rows), **params)
    assert answer.status_code == 200, answer.text
    lines = [line.split(";") for line in answer.json()["csv"].splitlines()]
    assert lines[1][:6] == ["key", "form", "mentors", "mentees", "", "active_from"]
    assert lines[2][:6] == [
        str(identify("mentorship", "school3", "Орлов и Ёлкина")),
        "teacher_teacher",
        ids["Орлов"],
        ids["Ёлкина"],
        "",
        "2026-09-01",
    ]
    assert lines[3][2:4] == [ids["Орлов"], ids["Ёлкина"]]
    assert lines[2][6] == school
    for secret in ("рлов", "лкин", "секрет", "лицея"):
        assert secret not in answer.json()["csv"]

    rows.append(["П-3", "педагог – педагог", "Никто Никто", "Орлов Пётр", None, "завтра"])
    wrong = await send(client, "mentorships:resolve", workbook(*rows), **params)
    assert places(wrong) == [(5, "F", "cell.date")]
    rows[4][5] = "02.09.2026"
    wrong = await send(client, "mentorships:resolve", workbook(*rows), **params)
    assert places(wrong) == [(5, "C", "person.unknown")]


async def test_a_template_is_filled_with_people(client: httpx.AsyncClient, school: str) -> None:
    params = {"organization_id": school}
    await report(client, "participants", workbook(PEOPLE, ELKINA, ORLOV), **params)
    blank = workbook([c.title for c in journals.table("mentorships").columns])
    answer = await send(client, "mentorships:people", blank, **params)
    book = load_workbook(io.BytesIO(answer.content))
    labels = [str(cell.value) for (cell,) in book["Люди"].iter_rows(min_row=2, max_col=1)]
    assert [label.split(" · ")[0] for label in labels] == ["Ёлкина Алёна Семёновна", "Орлов Пётр"]
    assert book["Люди"].sheet_state == "hidden"
    assert len(book.worksheets[0].data_validations.dataValidation) == 3


async def test_templates_are_filled_in_as_they_explain(
    client: httpx.AsyncClient, school: str
) -> None:
    book = load_workbook(io.BytesIO((await client.get("/templates/participants.xlsx")).content))
    sheet, example = book.worksheets[0], book["Пример"]
    for number, row in enumerate(example.iter_rows(min_row=2, values_only=True), 2):
        for index, value in enumerate(row, 1):
            sheet.cell(number, index).value = value
    stream = io.BytesIO()
    book.save(stream)
    answer = await send(client, "participants", stream.getvalue())
    assert {code for _, _, code in places(answer)} == {"organization.unknown"}
    for number in (2, 3):
        sheet.cell(number, 2).value = "лицей №3"
    book.save(stream := io.BytesIO())
    assert counts(await report(client, "participants", stream.getvalue())) == (2, 0, 0)
    heading = (await client.get("/templates/headcounts.csv")).content.decode("utf-8-sig")
    assert heading.startswith("Организация;Учебный год;")


async def test_whoever_has_one_school_writes_and_reads_there_only(
    client: httpx.AsyncClient, app: FastAPI, school: str, make: Made
) -> None:
    other = str((await make.school(name="Гимназия № 7"))["id"])
    await report(client, "participants", workbook(PEOPLE, ELKINA), organization_id=other)
    mine = tokens.headers(Role.SCHOOL, school)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://registry", headers=mine
    ) as curator:
        sent = workbook(PEOPLE, ORLOV)
        found = await report(curator, "participants", sent, organization_id=school)
        assert counts(found) == (1, 0, 0)
        refused = await send(curator, "participants", sent, organization_id=other)
        assert [code for _, _, code in places(refused)] == ["out_of_scope"]
        taken = workbook([*PEOPLE, "Дата зачисления"], [*ELKINA, "01.09.2026"])
        refused = await send(curator, "participants", taken, organization_id=school)
        assert [code for _, _, code in places(refused)] == ["participant.elsewhere"]
        named = workbook(["Ключ пары", "Наставник"], ["1", "Ёлкина Алёна Семёновна"])
        for verb in ("people", "resolve"):
            answer = await send(curator, f"mentorships:{verb}", named, organization_id=other)
            assert answer.status_code == 404
