"""Questionnaires: those that come with the service, a region's own, and scores."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from nastavnik_activity.domain import questionnaires
from tests.activity import make
from tests.activity.talk import code

Json = dict[str, Any]


def item(name: str, **more: Any) -> Json:
    return {
        "code": name,
        "text": {"ru": "Вопрос"},
        "scale": "motivation",
        "min": 0,
        "max": 10,
        **more,
    }


def own(*items: Json, **more: Any) -> Json:
    return {
        "code": "own_form",
        "version": 1,
        "title": {"ru": "Своя анкета", "en": "Our own"},
        "respondents": ["mentor", "mentee"],
        "stages": ["entry", "exit"],
        "items": list(items) or [item("item_a")],
        **more,
    }


async def test_four_come_with_the_service(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    codes: list[tuple[str, int]] = []
    cursor: Json = {}
    while True:
        answer = await client.get("/questionnaires", params={"limit": 2, **cursor})
        page = answer.json()
        codes += [(each["code"], each["version"]) for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    names = ("climate", "environment", "motivation", "satisfaction")
    assert codes == [(name, 1) for name in names]
    for name in names:
        found = (await client.get(f"/questionnaires/{name}")).json()
        assert {each["scale"] for each in found["items"]} == {name}
        assert all(each["text"]["en"] for each in [*found["items"], {"text": found["title"]}])


async def test_a_version_never_replaces_another(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    assert (await client.post("/questionnaires", json=own())).status_code == 201
    assert (await client.post("/questionnaires", json=own())).status_code == 200
    other = own(item("item_b"))
    conflict = (409, "questionnaire.id_conflict")
    assert code(await client.post("/questionnaires", json=other)) == conflict
    assert (await client.post("/questionnaires", json={**other, "version": 2})).status_code == 201
    latest = await client.get("/questionnaires/own_form")
    assert (latest.json()["version"], latest.json()["items"][0]["code"]) == (2, "item_b")
    first = await client.get("/questionnaires/own_form", params={"version": 1})
    assert first.json()["items"][0]["code"] == "item_a"
    missing = await client.get("/questionnaires/own_form", params={"version": 3})
    assert code(missing) == (404, "questionnaire.not_found")
    assert code(await client.get("/questionnaires/nothing")) == (404, "questionnaire.not_found")
    shipped = (await client.get("/questionnaires/climate")).json()
    assert (await client.post("/questionnaires", json=shipped)).status_code == 200
    assert code(await client.post("/questionnaires", json={**shipped, "stages": ["exit"]})) == (
        conflict
    )
    listed = (await client.get("/questionnaires", params={"limit": 4})).json()["items"]
    assert [(each["code"], each["version"]) for each in listed[-2:]] == [
        ("motivation", 1),
        ("own_form", 1),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (own(item("item_a", min=5, max=5)), "questionnaire.bad_range"),
        (own(item("item_a"), item("item_a")), "questionnaire.duplicate"),
        (own(stages=["exit", "exit"]), "questionnaire.duplicate"),
        (own(respondents=["mentor", "mentor"]), "questionnaire.duplicate"),
        (own(stages=["secret"]), "request.invalid"),
        (own(respondents=[]), "request.invalid"),
        (own(items=[]), "request.invalid"),
        (own(item("item_a", scale="secret")), "request.invalid"),
        (own(item("item_a", min=0.5)), "request.invalid"),
        (own(item("item_a", reversed="yes")), "request.invalid"),
        (own(item("item_a", text={"en": "only"})), "request.invalid"),
        (own(title={"ru": "a\x00"}), "request.invalid"),
        (own(title={"ru": "a\n"}), "request.invalid"),
        (own(code="A"), "request.invalid"),
        (own(version=0), "request.invalid"),
        (own(version=10**30), "request.invalid"),
        (own(secret=1), "request.invalid"),
    ],
)
async def test_what_does_not_hold_together(
    client: httpx.AsyncClient, connection: asyncpg.Connection, body: Json, expected: str
) -> None:
    answer = await client.post("/questionnaires", json=body)
    assert code(answer) == (422, expected)
    assert "secret" not in str([error["message"] for error in answer.json().get("errors", [])])


_FILE = """
[[questionnaire]]
code = "short"
version = 1
title = { ru = "Анкета" }
respondents = ["mentor"]
stages = ["exit"]
items = [{ code = "first", scale = "climate", min = 1, max = 5, text = { ru = "Вопрос" } }]
"""


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("version = 1", "version =", "line 4"),
        ("max = 5", "max = 1", r"questionnaire\[0\]: items\[0\]: min must be less than max"),
        ("max = 5", 'max = "5"', r"\$\.questionnaire\[0\]\.items\[0\]\.max"),
        ("climate", "weather", r"\$\.questionnaire\[0\]\.items\[0\]\.scale"),
        ('["exit"]', '["exit", "exit"]', r"questionnaire\[0\]: stages: something is named twice"),
        ("version = 1", "version = 1\nextra = 1", r"unknown field `extra`.*questionnaire\[0\]"),
        ('"mentor"', '"boss"', r"\$\.questionnaire\[0\]\.respondents\[0\]"),
    ],
)
def test_a_file_is_refused_with_place_and_reason(old: str, new: str, reason: str) -> None:
    assert ("short", 1) in questionnaires.load(_FILE, "own.toml")
    with pytest.raises(ValueError, match=rf"own\.toml: .*{reason}"):
        questionnaires.load(_FILE.replace(old, new), "own.toml")


def test_a_version_is_in_a_file_once() -> None:
    with pytest.raises(ValueError, match=r"questionnaire\[1\]: version 1 of short"):
        questionnaires.load(_FILE * 2, "own.toml")


@pytest.mark.parametrize(
    ("items", "given", "score"),
    [
        ([item("item_a")], [7], 700),
        ([item("item_a", reversed=True)], [7], 300),
        ([item("item_a", min=1, max=5)], [4], 750),
        ([item("item_a", min=1, max=5, reversed=True)], [4], 250),
        ([item("item_a", min=-2, max=2)], [-2], 0),
        ([item("item_a", min=-2, max=2)], [2], 1000),
        ([item("item_a", min=0, max=3)], [1], 333),
        ([item("item_a", min=0, max=3)], [2], 667),
        # exactly half a hundredth: up
        ([item("item_a", max=400)], [1], 3),
        ([item("item_a", max=400)], [3], 8),
        ([item("item_a", max=400, reversed=True)], [397], 8),
        ([item("item_a", max=401)], [1], 2),
        ([item("item_a", max=399)], [1], 3),
        # the mean of shares, not the share of the sum
        ([item("item_a", max=1), item("item_b", max=10)], [1, 0], 500),
        (
            [item("item_a"), item("item_b", min=1, max=5), item("item_c", max=3, reversed=True)],
            [10, 1, 1],
            556,
        ),
        ([item(name, max=3) for name in ("aa", "bb", "cc")], [1, 1, 1], 333),
        # 2.675, which is less than that in binary fractions
        ([item("item_a", max=1000), item("item_b", max=1000)], [535, 0], 268),
    ],
)
async def test_scores(
    client: httpx.AsyncClient,
    school: make.School,
    pair: UUID,
    items: list[Json],
    given: list[int],
    score: int,
) -> None:
    items = [{**each, "code": f"item_{n}"} for n, each in enumerate(items)]
    body = own(*items, code=f"form_{uuid4().hex[:8]}")
    assert (await client.post("/questionnaires", json=body)).status_code == 201
    values = {each["code"]: value for each, value in zip(items, given, strict=True)}
    more = {"questionnaire": body["code"], "answers": make.answers(values)}
    answer = await client.post("/surveys", json=make.survey(pair, school.people[1], **more))
    assert answer.json()["scores"] == [{"scale": "motivation", "value": score}]


async def test_scales_are_scored_apart(
    client: httpx.AsyncClient, school: make.School, pair: UUID
) -> None:
    body = own(item("aa"), item("bb", scale="climate"), item("cc", scale="climate"))
    await client.post("/questionnaires", json=body)
    values = make.answers({"cc": 2, "aa": 9, "bb": 5})
    more = {"questionnaire": "own_form", "answers": values}
    answer = await client.post("/surveys", json=make.survey(pair, school.people[1], **more))
    assert answer.json()["scores"] == [
        {"scale": "climate", "value": 350},
        {"scale": "motivation", "value": 900},
    ]
