"""Exports: files that a spreadsheet reads back to the same figures, and that start no formula."""

import csv
import io
import re
import zipfile
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import asyncpg
import httpx
import pytest

from nastavnik_common.events.activity import ContributionState
from tests.metrics.conftest import CATALOGUE, Tell
from tests.metrics.world import TREE, ident, meeting, next_version, pair, person

YEAR = "2026/27"
HEADERS = [
    "Территория/организация",
    "ОКТМО/код",
    "Учебный год",
    "Показатель (код)",
    "Наименование",
    "Разрез",
    "Числитель",
    "Знаменатель",
    "Значение",
    "Единица",
    "Цель",
    "Отклонение/темп",
    "Полнота",
    "Состояние",
    "Версия определения",
    "По состоянию на",
]
NUMBERS = {"Числитель", "Знаменатель", "Значение", "Цель", "Отклонение/темп", "Версия определения"}
FORMS = {"all": "Все", "student_student": "ученик – ученик"}
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
Table = list[dict[str, Any]]


@pytest.fixture
async def world(tell: Tell, connection: asyncpg.Connection) -> None:
    await tell(*TREE, *(person(n, "school") for n in "abcd"), pair("m", "a", "b"))
    await tell(meeting("x", "m", "a", "b", technology="project"))
    await tell(
        ContributionState(
            id=ident("gift"),
            version=1,
            organization_id=ident("school"),
            partner_kind="organization",
            kind="money",
            kopecks=1_234_567_890_123_45,
            date=meeting("x", "m").date,
            status="valid",
        )
    )
    await connection.execute(
        """insert into stream_position (topic, partition, cluster_id, next_offset, applied,
             superseded, parked, skipped, watermark)
           values ('t', 0, 'c', 0, 0, 0, 0, 0, $1)""",
        datetime(2026, 11, 20, 12, 30, 59, tzinfo=UTC),
    )


async def fetched(client: httpx.AsyncClient, path: str, **params: Any) -> bytes:
    response = await client.get(path, params=params)
    assert response.status_code == 200, response.text
    assert response.headers["content-disposition"].startswith("attachment; filename=")
    return response.content


def read_csv(content: bytes) -> Table:
    """As a spreadsheet with Russian settings would."""
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))
    return [
        {
            name: _number(text) if name in NUMBERS else text
            for name, text in zip(HEADERS, r, strict=True)
        }
        for r in rows[1:]
    ]


def _number(text: str) -> float | None:
    if not text:
        return None
    assert re.fullmatch(r"-?\d+(,\d+)?", text), text
    return float(text.replace(",", "."))


def read_xlsx(content: bytes, sheet: int = 1) -> list[list[Any]]:
    """The cells of a sheet by the standard's own rules: ``t`` says what a cell is."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        root = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))
    return [_cells(row) for row in root.iter(f"{_MAIN}row")]


def _cells(row: ElementTree.Element) -> list[Any]:
    found: dict[int, Any] = {}
    for cell in row.iter(f"{_MAIN}c"):
        letters = str(cell.get("r")).rstrip("0123456789")
        assert cell.find(f"{_MAIN}f") is None, "no formula"
        if cell.get("t") == "inlineStr":
            found[ord(letters) - ord("A")] = "".join(t.text or "" for t in cell.iter(f"{_MAIN}t"))
        else:
            found[ord(letters) - ord("A")] = float(cell.findtext(f"{_MAIN}v") or "nan")
    return [found.get(place) for place in range(max(found) + 1)]


def table(rows: list[list[Any]]) -> Table:
    assert rows[0] == HEADERS
    return [dict(zip(HEADERS, [*row, *[None] * len(HEADERS)], strict=False)) for row in rows[1:]]


async def card(client: httpx.AsyncClient, name: str, form: str) -> list[dict[str, Any]]:
    params = {"school_year": YEAR, "form": form}
    response = await client.get(f"/units/{ident(name)}/card", params=params)
    return list(response.json()["values"])


def figures(row: dict[str, Any]) -> tuple[Any, ...]:
    names = ("Показатель (код)", "Числитель", "Знаменатель", "Значение", "Цель", "Отклонение/темп")
    return tuple(row[name] for name in names)


def answered(value: dict[str, Any]) -> tuple[Any, ...]:
    names = ("indicator", "numerator", "denominator", "value", "target", "pace")
    return tuple(value[name] for name in names)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("form", ["all", "*"])
async def test_what_is_read_back_is_what_the_service_answers(
    client: httpx.AsyncClient, form: str
) -> None:
    expected = await card(client, "school", form)
    params = {"unit": str(ident("school")), "school_year": YEAR, "form": form}
    from_csv = read_csv(await fetched(client, "/exports/values.csv", **params))
    from_xlsx = table(read_xlsx(await fetched(client, "/exports/values.xlsx", **params)))
    for rows in (from_csv, from_xlsx):
        assert [figures(row) for row in rows] == [answered(value) for value in expected]
        slices = [row["Разрез"] for row in rows]
        known = [FORMS.get(v["form"], v["form"]) for v in expected]
        assert slices == [s.replace("technology:", "технология: ") for s in known]
    money = next(r for r in from_csv if r["Показатель (код)"] == "results.resources")
    assert money["Значение"] == 1_234_567_890_123.45
    assert {v["state"] for v in expected} >= {"ok", "no_data"}


@pytest.mark.usefixtures("world")
async def test_a_csv_is_what_russian_spreadsheets_open(client: httpx.AsyncClient) -> None:
    params = {"unit": str(ident("school")), "school_year": YEAR}
    content = await fetched(client, "/exports/values.csv", **params)
    assert content.startswith(b"\xef\xbb\xbf")
    lines = content.decode("utf-8-sig").split("\r\n")
    assert "\n" not in "".join(lines)
    assert lines[0].split(";") == HEADERS
    assert lines[1].split(";") == [
        "school",
        "",
        YEAR,
        "coverage.students",
        CATALOGUE.current(2026)[0].title.ru,
        "Все",
        "2",
        "4",
        "50",
        "%",
        "70",
        "26,67",
        "1 из 1",
        "есть данные",
        "1",
        "20.11.2026 12:30",
    ]
    response = await client.get("/exports/values.csv", params=params)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert "values-2026-27.csv" in response.headers["content-disposition"]


@pytest.mark.usefixtures("world")
async def test_an_xlsx_has_a_header_that_stays_and_explains_itself(
    client: httpx.AsyncClient,
) -> None:
    params = {"unit": str(ident("school")), "school_year": YEAR}
    content = await fetched(client, "/exports/values.xlsx", **params)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    pane = next(sheet.iter(f"{_MAIN}pane"))
    assert (pane.get("state"), pane.get("ySplit")) == ("frozen", "1")
    assert len(list(sheet.iter(f"{_MAIN}col"))) > 1
    first = table(read_xlsx(content))[0]
    assert all(isinstance(first[name], float) for name in NUMBERS)
    moment = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
    days = (moment - datetime(1899, 12, 30, tzinfo=UTC)).total_seconds() / 86400
    assert first["По состоянию на"] == pytest.approx(days)
    explained = read_xlsx(content, sheet=2)
    assert [name for name, _ in explained[1:]] == HEADERS
    assert all(text for _, text in explained)


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+7", "-2", "@SUM(A1)", " =1", "\t=1", "=cmd|'/c calc'!A1", 'a;"b"\r\n=1+1'],
)
async def test_no_name_becomes_a_formula(client: httpx.AsyncClient, tell: Tell, name: str) -> None:
    await tell(*TREE)
    await tell(next_version(TREE[4], name=name))
    params = {"unit": str(ident("school")), "school_year": YEAR}
    rows = read_csv(await fetched(client, "/exports/values.csv", **params))
    shown = {row["Территория/организация"] for row in rows}
    assert shown == {f"'{name}" if not name.startswith("a") else name}
    cells = table(read_xlsx(await fetched(client, "/exports/values.xlsx", **params)))
    assert {c["Территория/организация"].replace("_x000D_", "\r") for c in cells} == {name}


@pytest.mark.usefixtures("world")
async def test_children_come_after_the_unit_by_name(client: httpx.AsyncClient) -> None:
    params = {"unit": str(ident("region")), "school_year": YEAR, "children": "true"}
    rows = read_csv(await fetched(client, "/exports/values.csv", **params))
    assert list(dict.fromkeys(r["Территория/организация"] for r in rows)) == [
        "region",
        "east",
        "west",
    ]
    alone = read_csv(await fetched(client, "/exports/values.csv", **params | {"children": "false"}))
    assert len(rows) == 3 * len(alone)


@pytest.mark.usefixtures("world")
async def test_a_reports_export_is_its_values_and_freezes_with_it(
    client: httpx.AsyncClient, tell: Tell
) -> None:
    body = {"unit_id": str(ident("school")), "school_year": YEAR}
    report = (await client.post("/reports", json=body)).json()["id"]
    rows = read_csv(await fetched(client, f"/reports/{report}/export.csv"))
    assert {r["Состояние"].split(":")[0] for r in rows} == {"предварительно"}
    for action in ("submit", "accept", "freeze"):
        await client.post(f"/reports/{report}:{action}")
    kept = (await client.get(f"/reports/{report}/values")).json()["items"]
    await tell(meeting("x", "m", "a", "b", version=2, status="voided"))
    for form in ("csv", "xlsx"):
        content = await fetched(client, f"/reports/{report}/export.{form}")
        rows = read_csv(content) if form == "csv" else table(read_xlsx(content))
        assert [figures(row) for row in rows] == [answered(value) for value in kept]
        assert {r["Состояние"].split(":")[0] for r in rows} == {"утверждено"}
    whole = read_csv(await fetched(client, f"/reports/{report}/export.csv", form="all"))
    assert {row["Разрез"] for row in whole} == {"Все"}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_what_cannot_be_exported_is_a_problem(client: httpx.AsyncClient, form: str) -> None:
    cases = [
        ({"unit": str(ident("nobody"))}, 404, "unit.not_found"),
        ({"unit": "x"}, 422, "request.invalid"),
        ({"unit": str(ident("x")), "school_year": "2026/28"}, 422, "school_year.malformed"),
        ({"unit": str(ident("x")), "form": "a\0b"}, 422, "request.nul_character"),
    ]
    for params, status, code in cases:
        response = await client.get(f"/exports/values.{form}", params=params)
        assert (response.status_code, response.json()["code"]) == (status, code)
