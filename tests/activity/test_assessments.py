"""Assessments over HTTP: recorded, corrected, voided, deleted."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.activity import make
from tests.activity.talk import batch, code, events, values

Json = dict[str, Any]


async def test_an_assessment_is_recorded_corrected_voided_and_deleted(
    client: httpx.AsyncClient, school: make.School, pair: UUID, connection: asyncpg.Connection
) -> None:
    made = await client.post("/assessments", json=make.assessment(pair, school.people[1]))
    assert made.status_code == 201, made.text
    body = made.json()
    path = f"/assessments/{body['id']}"
    assert (body["value"], body["organization_id"]) == ("3.75", str(school.id))
    assert (await client.get(path)).json() == body
    same = await client.patch(path, json={"value": 3.750})
    assert same.headers["etag"] == '"1"'
    changes = {"value": -4.1, "domain": "personal", "instrument": "questionnaire_b"}
    corrected = await client.patch(path, json={**changes, "higher_is_better": False})
    assert (corrected.json()["value"], corrected.json()["version"]) == ("-4.10", 2)
    assert code(await client.patch(path, json={"value": None}))[1] == "request.invalid"
    await client.post(f"{path}:void", json={"reason": "wrong_person"})
    assert code(await client.patch(path, json={"value": 1})) == (409, "assessment.voided")
    await client.delete(path)
    assert code(await client.delete(path)) == (404, "assessment.not_found")
    verbs = ["recorded", "corrected", "voided", "deleted"]
    assert await events(connection, "assessments") == [
        (verb, version, str(pair)) for version, verb in enumerate(verbs, 1)
    ]
    assert [v and v["value"] for v in await values(connection, "assessments")] == [
        375,
        -410,
        -410,
        None,
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"value": 4}, None),
        ({"value": 4.25}, None),
        ({"value": "0.01"}, None),
        ({"value": "-12.5"}, None),
        ({"value": 4.255}, "assessment.bad_value"),
        ({"value": "4.255"}, "assessment.bad_value"),
        ({"value": "10000000000000.01"}, "assessment.bad_value"),
        ({"value": 10**18}, "assessment.bad_value"),
        ({"value": 1e-300}, "assessment.bad_value"),
        ({"mentorship_id": str(uuid4())}, "mentorship.unknown"),
        ({"organization_id": str(uuid4())}, "assessment.mentorship_or_organization"),
        ({"mentorship_id": None}, "assessment.mentorship_or_organization"),
        ({"subject_id": str(uuid4())}, "assessment.outsider"),
        ({"subject_kind": "mentor"}, "assessment.outsider"),
        ({"subject_kind": "organization"}, "assessment.outsider"),
        ({"date": "1990-08-31"}, "assessment.date_out_of_range"),
        ({"date": "9999-12-31"}, "assessment.in_future"),
        ({"domain": "trajectory", "value": 1}, None),
    ],
)
async def test_rules_hold_for_one_and_for_a_batch(
    client: httpx.AsyncClient, school: make.School, pair: UUID, more: Json, expected: str | None
) -> None:
    body = {**make.assessment(pair, school.people[1]), **more}
    (line,) = await batch(client, [body], "/assessments:batch")
    assert line.get("problem", {}).get("code") == expected
    if expected is None:
        await client.delete(f"/assessments/{line['id']}")
    answer = await client.post("/assessments", json=body)
    assert (answer.json().get("code"), answer.status_code) == (expected, 422 if expected else 201)


@pytest.mark.parametrize("value", ["1e999999999", "NaN", "Infinity", "-Infinity", "1e-999999999"])
async def test_numbers_that_are_none(
    client: httpx.AsyncClient, school: make.School, pair: UUID, value: str
) -> None:
    body = make.assessment(pair, school.people[1], value=value)
    assert code(await client.post("/assessments", json=body)) == (422, "request.invalid")
    for raw in (body, make.assessment(pair, school.people[1], value="x")):
        (line,) = await batch(client, [raw], "/assessments:batch")
        assert line["problem"]["code"] in ("assessment.bad_value", "line.invalid")


async def test_before_comes_before_after_once_a_school_year(
    client: httpx.AsyncClient, school: make.School, pair: UUID
) -> None:
    async def record(**more: Any) -> httpx.Response:
        return await client.post(
            "/assessments", json=make.assessment(pair, school.people[1], **more)
        )

    after = {"stage": "after", "date": "2026-05-20"}
    before = f"/assessments/{(await record()).json()['id']}"
    assert code(await record(date="2026-08-31")) == (409, "assessment.duplicate")
    early = await record(stage="after", date="2025-09-09")
    assert code(early) == (422, "assessment.after_before_before")
    assert (await record(**after)).status_code == 201
    assert code(await record(**after)) == (409, "assessment.duplicate")
    moved = await client.patch(before, json={"date": "2026-05-21"})
    assert code(moved) == (422, "assessment.after_before_before")
    assert code(await client.patch(before, json={"stage": "after"})) == (
        409,
        "assessment.duplicate",
    )
    assert (await record(instrument="olympiad")).status_code == 201
    assert (await record(domain="sports")).status_code == 201
    assert (await record(date="2026-09-01")).status_code == 201
    assert (await record(stage="after", date="2025-08-31")).status_code == 201
    await client.post(f"{before}:void")
    assert (await record()).status_code == 201


async def test_about_an_organisation(
    client: httpx.AsyncClient, school: make.School, connection: asyncpg.Connection
) -> None:
    async def record(**more: Any) -> httpx.Response:
        body = make.assessment(uuid4(), school.people[1], organization_id=str(school.id))
        return await client.post("/assessments", json={**body, "mentorship_id": None, **more})

    itself = {"subject_kind": "organization", "subject_id": str(school.id), "domain": "cultural"}
    assert (await record()).status_code == 201
    assert (await record(**itself)).status_code == 201
    assert code(await record(**{**itself, "subject_id": str(school.municipality)})) == (
        422,
        "assessment.outsider",
    )
    assert code(await record(subject_id=str(uuid4()))) == (422, "participant.unknown")
    assert code(await record(organization_id=str(uuid4()))) == (422, "organization.unknown")
    assert code(await record(organization_id=str(school.municipality))) == (
        422,
        "assessment.not_an_organization",
    )
    assert await events(connection, "assessments") == [
        ("recorded", 1, str(school.people[1])),
        ("recorded", 1, str(school.id)),
    ]


async def test_lines_of_a_batch_see_each_other_and_repeats(
    client: httpx.AsyncClient, school: make.School, pair: UUID, connection: asyncpg.Connection
) -> None:
    ident = str(uuid4())
    person = school.people[1]
    bodies = [
        make.assessment(pair, person, id=ident, value=3.5),
        make.assessment(pair, person),
        make.assessment(pair, person, id=ident, value="3.50"),
        make.assessment(pair, person, id=ident, value="3.51"),
        make.assessment(pair, person, stage="after", date="2025-09-01"),
        {**make.assessment(pair, person), "secret": 1},
        make.assessment(pair, person, instrument="a\n"),
        make.assessment(pair, person, stage="after", date="2026-05-01"),
    ]
    lines = await batch(client, bodies, "/assessments:batch")
    assert [line.get("problem", {}).get("code", line["status"]) for line in lines] == [
        "created",
        "assessment.duplicate",
        "unchanged",
        "assessment.id_conflict",
        "assessment.after_before_before",
        "line.invalid",
        "line.invalid",
        "created",
    ]
    assert "secret" not in str(lines)
    assert len(await events(connection, "assessments")) == 2


async def test_thousands_in_one_batch(
    client: httpx.AsyncClient, school: make.School, pair: UUID, connection: asyncpg.Connection
) -> None:
    bodies = [
        make.assessment(pair, school.people[1], instrument=f"test_{n}", id=str(uuid4()))
        for n in range(3000)
    ]
    lines = await batch(client, bodies, "/assessments:batch")
    assert {line["status"] for line in lines} == {"created"}
    again = await batch(client, bodies, "/assessments:batch")
    assert {line["status"] for line in again} == {"unchanged"}
    metrics = (await client.get("/metrics")).text
    assert 'nastavnik_assessments_recorded_total{domain="educational"} 3000.0' in metrics


async def test_of_many_at_once_one_is_taken(
    client: httpx.AsyncClient, school: make.School, pair: UUID
) -> None:
    body = make.assessment(pair, school.people[1])
    answers = await asyncio.gather(*(client.post("/assessments", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    named = {**body, "id": str(uuid4()), "domain": "sports"}
    answers = await asyncio.gather(*(client.post("/assessments", json=named) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]


async def test_lists_filter(client: httpx.AsyncClient, school: make.School, pair: UUID) -> None:
    person = school.people[1]
    for more in ({}, {"stage": "after", "date": "2026-05-01"}, {"domain": "sports"}):
        await client.post("/assessments", json=make.assessment(pair, person, **more))
    for query, count in (
        ({}, 3),
        ({"mentorship_id": str(pair), "organization_id": str(school.id)}, 3),
        ({"subject_id": str(person), "domain": "sports"}, 1),
        ({"instrument": "average_mark", "stage": "after"}, 1),
        ({"from": "2026-01-01"}, 1),
        ({"status": "voided"}, 0),
    ):
        items = (await client.get("/assessments", params=query)).json()["items"]
        assert len(items) == count, query
