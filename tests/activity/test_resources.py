"""Contributions and gatherings over HTTP; and what all records share."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.activity import make
from tests.activity.talk import code, events, values

Json = dict[str, Any]


async def test_a_contribution_is_recorded_corrected_voided_and_deleted(
    client: httpx.AsyncClient, school: make.School, connection: asyncpg.Connection
) -> None:
    made = await client.post("/contributions", json=make.contribution(school))
    assert made.status_code == 201, made.text
    body = made.json()
    path = f"/contributions/{body['id']}"
    assert (body["amount"], body["currency"], body["partner_id"]) == ("12500.50", "RUB", None)
    assert (await client.get(path)).json() == body
    same = await client.patch(path, json={"amount": 12500.5, "currency": "RUB"})
    assert same.headers["etag"] == '"1"'
    partner = {"partner_kind": "organization", "partner_id": str(school.municipality)}
    corrected = await client.patch(path, json={**partner, "amount": 0, "kind": "premises"})
    assert (corrected.json()["amount"], corrected.json()["version"]) == ("0.00", 2)
    assert code(await client.patch(path, json={"partner_kind": "alumnus"})) == (
        422,
        "participant.unknown",
    )
    assert code(await client.patch(path, json={"partner_id": str(uuid4())})) == (
        422,
        "organization.unknown",
    )
    assert code(await client.patch(path, json={"amount": -1})) == (422, "contribution.negative")
    assert code(await client.patch(path, json={"currency": "EUR"})) == (
        422,
        "contribution.currency",
    )
    await client.post(f"{path}:void")
    assert code(await client.patch(path, json={"amount": 1})) == (409, "contribution.voided")
    await client.delete(path, headers={"if-match": '"3"'})
    assert code(await client.get(path)) == (404, "contribution.not_found")
    verbs = ["recorded", "corrected", "voided", "deleted"]
    assert await events(connection, "contributions") == [
        (verb, version, body["id"]) for version, verb in enumerate(verbs, 1)
    ]
    assert (await values(connection, "contributions"))[0]["kopecks"] == 1250050
    metrics = (await client.get("/metrics")).text
    assert 'nastavnik_contributions_recorded_total{kind="money"} 1.0' in metrics


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"amount": 0}, None),
        ({"amount": 0.1}, None),
        ({"amount": "10000000000000"}, None),
        ({"amount": "10000000000000.01"}, "contribution.bad_amount"),
        ({"amount": "0.001"}, "contribution.bad_amount"),
        ({"amount": -0.01}, "contribution.negative"),
        ({"amount": "-1"}, "contribution.negative"),
        ({"amount": "1e3"}, "request.invalid"),
        ({"amount": "1 000"}, "request.invalid"),
        ({"amount": "12,5"}, "request.invalid"),
        ({"amount": True}, "request.invalid"),
        ({"amount": None}, "request.invalid"),
        ({"currency": "USD"}, "contribution.currency"),
        ({"currency": None}, "request.invalid"),
        ({"date": "9999-01-01"}, "contribution.in_future"),
        ({"date": "1900-01-01"}, "contribution.date_out_of_range"),
        ({"organization_id": str(uuid4())}, "organization.unknown"),
        ({"partner_id": str(uuid4())}, "participant.unknown"),
        ({"partner_kind": "organization", "partner_id": str(uuid4())}, "organization.unknown"),
        ({"partner_kind": "secret"}, "request.invalid"),
        ({"secret": 1}, "request.invalid"),
    ],
)
async def test_rules_of_contributions(
    client: httpx.AsyncClient, school: make.School, more: Json, expected: str | None
) -> None:
    answer = await client.post("/contributions", json=make.contribution(school, **more))
    assert (answer.json().get("code"), answer.status_code) == (expected, 422 if expected else 201)


async def test_partners_are_known(client: httpx.AsyncClient, school: make.School) -> None:
    for kind, ident in (("alumnus", school.people[7]), ("organization", school.id)):
        more = {"partner_kind": kind, "partner_id": str(ident)}
        answer = await client.post("/contributions", json=make.contribution(school, **more))
        assert answer.status_code == 201
    territory = make.contribution(school, organization_id=str(school.municipality))
    assert code(await client.post("/contributions", json=territory)) == (
        422,
        "contribution.not_an_organization",
    )
    for query, count in (
        ({}, 2),
        ({"partner_kind": "alumnus"}, 1),
        ({"partner_id": str(school.id), "kind": "money", "status": "valid"}, 1),
        ({"organization_id": str(school.id), "to": "2025-10-02"}, 2),
        ({"from": "2025-10-02"}, 0),
    ):
        items = (await client.get("/contributions", params=query)).json()["items"]
        assert len(items) == count, query


async def test_a_gathering_is_held_corrected_voided_and_deleted(
    client: httpx.AsyncClient, school: make.School, connection: asyncpg.Connection
) -> None:
    made = await client.post("/gatherings", json=make.gathering(school))
    assert made.status_code == 201, made.text
    body = made.json()
    path = f"/gatherings/{body['id']}"
    assert (body["audience"], body["attendees"]) == (["mentors", "parents"], 40)
    same = await client.patch(path, json={"audience": ["parents", "mentors", "parents"]})
    assert same.headers["etag"] == '"1"'
    off = await client.patch(path, json={"status": "cancelled"})
    assert (off.json()["attendees"], off.json()["version"]) == (0, 2)
    assert code(await client.patch(path, json={"attendees": 1})) == (
        422,
        "gathering.attendees_of_cancelled",
    )
    held = await client.patch(path, json={"status": "held", "attendees": 7, "technology": None})
    assert (held.json()["attendees"], held.json()["technology"]) == (7, None)
    await client.post(f"{path}:void", json={"reason": "mistake"})
    assert code(await client.patch(path, json={"attendees": 1})) == (409, "gathering.voided")
    await client.delete(path)
    await client.post("/gatherings", json=make.gathering(school, status="cancelled", attendees=0))
    verbs = ["held", "corrected", "corrected", "voided", "deleted", "cancelled"]
    found = await events(connection, "gatherings")
    assert [verb for verb, *_ in found] == verbs
    assert {key for *_, key in found[:-1]} == {body["id"]}
    metrics = (await client.get("/metrics")).text
    assert 'nastavnik_gatherings_recorded_total{status="cancelled"} 1.0' in metrics
    for query, count in (({}, 1), ({"status": "held"}, 0), ({"from": "2025-10-01"}, 1)):
        assert len((await client.get("/gatherings", params=query)).json()["items"]) == count


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"duration_minutes": 1440}, None),
        ({"duration_minutes": 1441}, "gathering.too_long"),
        ({"duration_minutes": 10**40}, "gathering.too_long"),
        ({"duration_minutes": 0}, "request.invalid"),
        ({"audience": []}, "request.invalid"),
        ({"audience": None}, "request.invalid"),
        ({"audience": ["secret"]}, "request.invalid"),
        ({"attendees": -1}, "request.invalid"),
        ({"attendees": 10**7}, "request.invalid"),
        ({"status": "cancelled"}, "gathering.attendees_of_cancelled"),
        ({"status": "voided"}, "request.invalid"),
        ({"date": "9999-01-01"}, "gathering.in_future"),
        ({"date": "1900-01-01"}, "gathering.date_out_of_range"),
        ({"organization_id": str(uuid4())}, "organization.unknown"),
    ],
)
async def test_rules_of_gatherings(
    client: httpx.AsyncClient, school: make.School, more: Json, expected: str | None
) -> None:
    answer = await client.post("/gatherings", json=make.gathering(school, **more))
    assert (answer.json().get("code"), answer.status_code) == (expected, 422 if expected else 201)
    territory = make.gathering(school, organization_id=str(school.municipality))
    assert code(await client.post("/gatherings", json=territory)) == (
        422,
        "gathering.not_an_organization",
    )


def bodies(school: make.School, pair: UUID) -> dict[str, Json]:
    return {
        "survey": make.survey(pair, school.people[1]),
        "assessment": make.assessment(pair, school.people[1]),
        "contribution": make.contribution(school),
        "gathering": make.gathering(school),
    }


@pytest.mark.parametrize("kind", ["survey", "assessment", "contribution", "gathering"])
async def test_ids_of_clients(
    client: httpx.AsyncClient, school: make.School, pair: UUID, kind: str
) -> None:
    body = {**bodies(school, pair)[kind], "id": str(uuid4())}
    path = f"/{kind}s"
    assert (await client.post(path, json=body)).status_code == 201
    again = await client.post(path, json=body)
    assert (again.status_code, again.headers["etag"]) == (200, '"1"')
    other = {**body, "date": "2025-09-03"}
    assert code(await client.post(path, json=other)) == (409, f"{kind}.id_conflict")
    await client.delete(f"{path}/{body['id']}")
    assert code(await client.post(path, json=body)) == (409, f"{kind}.id_conflict")
    for answer in (
        await client.get(f"{path}/{uuid4()}"),
        await client.patch(f"{path}/{uuid4()}", json={}),
        await client.post(f"{path}/{uuid4()}:void"),
        await client.delete(f"{path}/{uuid4()}"),
    ):
        assert code(answer) == (404, f"{kind}.not_found")
    assert code(await client.get(f"{path}/{uuid4()}:void")) == (405, "route.method_not_allowed")


async def test_republish_tells_every_current_state(
    client: httpx.AsyncClient, school: make.School, pair: UUID, connection: asyncpg.Connection
) -> None:
    for kind, body in bodies(school, pair).items():
        made = [
            await client.post(f"/{kind}s", json={**body, "date": f"2025-0{month}-10"})
            for month in (1, 9)
            if kind != "survey" or month == 9
        ]
        ident = made[0].json()["id"]
        if kind == "gathering":
            await client.delete(f"/gatherings/{ident}")
        elif kind == "contribution":
            await client.post(f"/contributions/{ident}:void")
        else:
            await client.patch(f"/{kind}s/{ident}", json={"date": "2025-02-01"})
    await connection.execute("delete from outbox")
    answer = await client.post("/admin/republish")
    counts = {"mentorship": 1, "session": 0, "survey": 1}
    assert answer.json() == {**counts, "assessment": 2, "contribution": 2, "gathering": 2}
    assert await events(connection, "surveys") == [("corrected", 2, str(pair))]
    for topic, expected in (
        ("assessments", {("recorded", 1), ("corrected", 2)}),
        ("contributions", {("recorded", 1), ("voided", 2)}),
        ("gatherings", {("held", 1), ("deleted", 2)}),
    ):
        assert {(verb, version) for verb, version, _ in await events(connection, topic)} == expected
    one = await client.post("/admin/republish", params={"kind": "gathering"})
    assert {kind: count for kind, count in one.json().items() if count} == {"gathering": 2}
