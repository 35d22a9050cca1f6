"""Consents over HTTP: who signs, when they end, and that only their purposes are told."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from nastavnik_common import clock
from tests.activity.talk import batch
from tests.registry.conftest import Events, Made

NAME = "Соколова Анна Ивановна"


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


@pytest.fixture
async def consent(make: Made) -> dict[str, Any]:
    """Of a person born on 10 March 2008, who comes of age on 10 March 2026."""
    school = await make.school()
    person = await make.pupil(school["id"], birth_date="2008-03-10")
    return {
        "participant_id": person["id"],
        "purpose": "mentoring",
        "version": "2025-09",
        "signed_on": "2026-03-09",
        "signed_by": "legal_representative",
        "representative_name": NAME,
    }


async def test_a_consent_is_given_and_withdrawn(
    client: httpx.AsyncClient, make: Made, events: Events, consent: dict[str, Any]
) -> None:
    await events()
    made = await make("consents", **consent)
    assert made == {**consent, "id": made["id"], "record_version": 1, "withdrawn_on": None}
    place = f"/consents/{made['id']}"
    read = await client.get(place)
    assert (read.json(), read.headers["etag"]) == (made, '"1"')
    headers = {"If-Match": '"1"'}
    early = await client.post(f"{place}:withdraw", json={"on": "2026-03-08"})
    assert code(early) == (422, "consent.withdrawn_before_signed")
    late = await client.post(f"{place}:withdraw", json={"on": "2999-01-01"})
    assert code(late) == (422, "consent.in_future")
    ended = await client.post(f"{place}:withdraw", json={"on": "2026-04-01"}, headers=headers)
    assert ended.json() == {**made, "record_version": 2, "withdrawn_on": "2026-04-01"}
    same = await client.post(f"{place}:withdraw", json={"on": "2026-04-01"})
    assert (same.status_code, same.headers["etag"]) == (200, '"2"')
    other = await client.post(f"{place}:withdraw", json={"on": "2026-04-02"})
    assert code(other) == (409, "consent.withdrawn")
    stale = await client.post(f"{place}:withdraw", json={"on": "2026-04-01"}, headers=headers)
    assert code(stale) == (412, "version.stale")
    unknown = await client.post(f"/consents/{uuid4()}:withdraw", json={"on": "2026-04-01"})
    assert code(unknown) == (404, "consent.not_found")
    wrong = await client.get(f"{place}:withdraw")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert code(await client.get(f"/consents/{uuid4()}")) == (404, "consent.not_found")
    told = await events()
    assert [(e.type, e.version) for e in told] == [
        ("nastavnik.participant.changed.v1", version) for version in (2, 3)
    ]
    assert [(e.value["consents"], e.value["withdrawn"]) for e in told if e.value] == [
        (["mentoring"], []),
        ([], ["mentoring"]),
    ]
    assert not any(NAME in e.text or "2025-09" in e.text for e in told)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"signed_by": "self", "representative_name": None}, "consent.representative_required"),
        (
            {"signed_by": "self", "signed_on": "2026-03-10"},
            "consent.representative_unexpected",
        ),
        ({"signed_on": "2999-01-01"}, "consent.in_future"),
        ({"signed_on": "2008-03-09"}, "consent.signed_on"),
        ({"withdrawn_on": "2026-03-08"}, "consent.withdrawn_before_signed"),
        ({"withdrawn_on": "2999-01-01"}, "consent.in_future"),
        ({"participant_id": str(uuid4())}, "participant.unknown"),
        ({"purpose": "Наставничество"}, "request.invalid"),
        ({"purpose": "advertising"}, "consent.purpose_unknown"),
        ({"version": ""}, "request.invalid"),
        ({"version": "x" * 64}, "request.invalid"),
        ({"signed_by": "teacher"}, "request.invalid"),
        ({"text": "Х"}, "request.invalid"),
    ],
)
async def test_bad_consents_are_refused(
    client: httpx.AsyncClient, consent: dict[str, Any], parts: dict[str, Any], expected: str
) -> None:
    refused = await client.post("/consents", json={**consent, **parts})
    assert code(refused) == (422, expected)
    assert NAME not in refused.text


async def test_who_is_of_age_signs_alone(
    client: httpx.AsyncClient, make: Made, consent: dict[str, Any]
) -> None:
    alone = {**consent, "signed_by": "self", "representative_name": None}
    assert (await make("consents", **{**alone, "signed_on": "2026-03-10"}))["signed_by"] == "self"
    leap = await make.pupil((await make.school())["id"], birth_date="2008-02-29")
    alone["participant_id"] = leap["id"]
    early = await client.post("/consents", json={**alone, "signed_on": "2026-02-28"})
    assert code(early) == (422, "consent.representative_required")
    await make("consents", **{**alone, "signed_on": "2026-03-01"})
    unknown = await make.pupil((await make.school())["id"])
    await make("consents", **{**alone, "participant_id": unknown["id"]})


async def test_giving_again_is_the_same_consent(
    client: httpx.AsyncClient, consent: dict[str, Any]
) -> None:
    body = {"id": str(uuid4()), **consent}
    first = await client.post("/consents", json=body)
    again = await client.post("/consents", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["location"] == f"/consents/{body['id']}"
    other = await client.post("/consents", json={**body, "purpose": "photo"})
    assert code(other) == (409, "consent.id_conflict")


async def test_consents_are_found_by_person_and_go_with_the_person(
    client: httpx.AsyncClient, make: Made, consent: dict[str, Any], connection: asyncpg.Connection
) -> None:
    other = await make.pupil((await make.school())["id"])
    made = await make("consents", **consent)
    await make("consents", **{**consent, "participant_id": other["id"]})

    async def found() -> list[str]:
        query = {"participant_id": consent["participant_id"]}
        page = await client.get("/consents", params=query)
        return [item["id"] for item in page.json()["items"]]

    assert await found() == [made["id"]]
    assert len((await client.get("/consents")).json()["items"]) == 2
    person = f"/participants/{consent['participant_id']}"
    assert (await client.delete(person)).status_code == 200
    assert await found() == []
    assert code(await client.get(f"/consents/{made['id']}")) == (404, "consent.not_found")
    query = "select representative_name from consent where id = $1"
    assert await connection.fetchval(query, made["id"]) is None
    assert code(await client.post("/consents", json=consent)) == (422, "participant.unknown")


async def test_a_consent_of_today_is_taken(make: Made, consent: dict[str, Any]) -> None:
    today = clock.now().date().isoformat()
    made = await make("consents", **{**consent, "signed_on": today, "withdrawn_on": today})
    assert made["withdrawn_on"] == today


async def test_many_are_recorded_at_once(
    client: httpx.AsyncClient, make: Made, events: Events, consent: dict[str, Any]
) -> None:
    """Each line by itself; people are told of once, the trace names those whose consent is new."""
    other = await make.pupil((await make.school())["id"])
    await events()
    first = {**consent, "id": str(uuid4())}
    second = {**consent, "participant_id": other["id"], "purpose": "photo"}
    third = {**consent, "participant_id": other["id"]}
    lines = [
        first,
        {**first, "version": "2024-09"},
        second,
        first,
        third,
        {**third, "participant_id": str(uuid4())},
        {**third, "signed_by": "self"},
        {**third, "purpose": "riding"},
        {**third, "signed_on": "yesterday"},
    ]
    answered = await batch(client, lines, "/consents:batch")
    assert [line.get("problem", {}).get("code", line["status"]) for line in answered] == [
        "created",
        "consent.id_conflict",
        "created",
        "unchanged",
        "created",
        "participant.unknown",
        "consent.representative_unexpected",
        "consent.purpose_unknown",
        "line.invalid",
    ]
    read = (await client.get(f"/consents/{first['id']}")).json()
    assert read == {**first, "record_version": 1, "withdrawn_on": None}
    told = {e.value["id"]: e.value["consents"] for e in await events() if e.value}
    assert told == {
        consent["participant_id"]: ["mentoring"],
        other["id"]: ["mentoring", "photo"],
    }
    again = await batch(client, [first], "/consents:batch")
    assert (again[0]["status"], again[0]["id"], await events()) == ("unchanged", first["id"], [])
    entries = (await client.get("/personal-trace", params={"limit": 1000})).json()["items"]
    recorded = [
        entry["participant_ids"] for entry in entries if entry["action"] == "consent_recorded"
    ]
    assert sorted(recorded[-1]) == sorted(told)


async def test_the_same_line_in_two_requests_at_once(
    client: httpx.AsyncClient, make: Made, consent: dict[str, Any]
) -> None:
    lines = [{**consent, "id": str(uuid4())} for _ in range(50)]
    answers = await asyncio.gather(*(batch(client, lines, "/consents:batch") for _ in range(4)))
    for line in zip(*answers, strict=True):
        assert sorted(each["status"] for each in line) == ["created", *["unchanged"] * 3]


async def test_one_id_for_two_people_at_once(
    client: httpx.AsyncClient, make: Made, consent: dict[str, Any]
) -> None:
    """Neither waits for the other's person: the id alone stands between them."""
    other = await make.pupil((await make.school())["id"])
    mine = [{**consent, "id": str(uuid4())} for _ in range(50)]
    theirs = [{**line, "participant_id": other["id"]} for line in mine]
    answers = await asyncio.gather(
        *(batch(client, lines, "/consents:batch") for lines in (mine, theirs))
    )
    for line in zip(*answers, strict=True):
        told = sorted(each.get("problem", {}).get("code", each["status"]) for each in line)
        assert told == ["consent.id_conflict", "created"]


async def test_texts_of_a_batch_are_stripped_as_elsewhere(
    client: httpx.AsyncClient, consent: dict[str, Any]
) -> None:
    line = {**consent, "id": str(uuid4())}
    spaced = {**line, "version": " 2025-09 ", "representative_name": f" {NAME}"}
    (made,) = await batch(client, [spaced], "/consents:batch")
    assert made["status"] == "created"
    assert (await client.post("/consents", json=line)).status_code == 200
    (refused,) = await batch(client, [{**line, "version": "  "}], "/consents:batch")
    assert refused["problem"]["code"] == "line.invalid"
