"""Programmes over HTTP, and the events they leave."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx

from tests.registry.conftest import Events, Made

PARTS: dict[str, Any] = {
    "mechanisms": ["planning", "formalisation", "planning"],
    "documents": [
        {"kind": "roadmap", "date": "2026-09-05", "status": "draft"},
        {"kind": "order", "number": "17-ОД", "date": "2026-09-01", "status": "approved"},
        {"kind": "order", "number": "16-ОД", "date": "2026-08-30", "status": "cancelled"},
    ],
    "forms": [{"form": "teacher_teacher", "mentorships": 4}],
    "plan": [{"month": "2027-08", "sessions": 0}, {"month": "2026-09", "sessions": 12}],
    "staffed": True,
}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


async def test_a_programme_lives_and_dies(
    client: httpx.AsyncClient, make: Made, events: Events, year: dict[str, Any]
) -> None:
    curator = await make.pupil(year["organization_id"])
    made = await make("programmes", **year, **PARTS, curator_id=curator["id"])
    place = f"/programmes/{made['id']}"
    assert made["mechanisms"] == ["formalisation", "planning"]
    assert [(d["date"], d["number"]) for d in made["documents"]] == [
        ("2026-08-30", "16-ОД"),
        ("2026-09-01", "17-ОД"),
        ("2026-09-05", None),
    ]
    assert [m["month"] for m in made["plan"]] == ["2026-09", "2027-08"]
    assert (made["school_year"], made["staffed"], made["material_base"]) == ("2026/27", True, False)
    read = await client.get(place)
    assert (read.json(), read.headers["etag"]) == (made, '"1"')

    same = await client.patch(place, json={"plan": PARTS["plan"], "curator_id": curator["id"]})
    assert same.headers["etag"] == '"1"'
    headers = {"If-Match": '"1"'}
    changed = await client.patch(
        place, json={"curator_id": None, "forms": [], "material_base": True}, headers=headers
    )
    expected: dict[str, Any] = {
        "curator_id": None,
        "forms": [],
        "material_base": True,
        "version": 2,
    }
    assert changed.json() == {**made, **expected}
    stale = await client.patch(place, json={"staffed": False}, headers=headers)
    assert code(stale) == (412, "version.stale")
    assert code(await client.patch(f"/programmes/{uuid4()}", json={})) == (
        404,
        "programme.not_found",
    )
    gone = {"id": made["id"], "version": 3, "deleted": True}
    assert (await client.delete(place)).json() == gone
    assert code(await client.get(place)) == (404, "programme.not_found")
    assert (await client.get("/programmes")).json()["items"] == []
    again = await client.post("/programmes", json={"id": made["id"], **year})
    assert code(again) == (409, "programme.id_conflict")

    found = [e for e in await events() if e.topic == "nastavnik.programmes"]
    assert [(e.type.split(".")[2], e.version) for e in found] == [
        ("started", 1),
        ("changed", 2),
        ("deleted", 3),
    ]
    assert [e.value is None for e in found] == [False, False, True]
    assert found[0].value == {
        "id": made["id"],
        "version": 1,
        "organization_id": year["organization_id"],
        "school_year": 2026,
        "mechanisms": ["formalisation", "planning"],
        "documents": [
            {"kind": "order", "status": "cancelled", "date": "2026-08-30"},
            {"kind": "order", "status": "approved", "date": "2026-09-01"},
            {"kind": "roadmap", "status": "draft", "date": "2026-09-05"},
        ],
        "forms": [{"form": "teacher_teacher", "mentorships": 4}],
        "plan": [{"month": "2026-09-01", "sessions": 12}, {"month": "2027-08-01", "sessions": 0}],
        "curator_id": curator["id"],
        "methodical_materials": False,
        "material_base": False,
        "staffed": True,
        "psychological_support": False,
    }
    for event in found:
        for secret in ("17-ОД", "16-ОД", "Сокол", "Вера"):
            assert secret not in event.text


async def test_one_live_programme_per_organisation_and_year(
    client: httpx.AsyncClient, make: Made, events: Events, year: dict[str, Any]
) -> None:
    await events()
    bodies = [{**year, "id": str(uuid4())} for _ in range(4)]
    answers = await asyncio.gather(*(client.post("/programmes", json=b) for b in bodies))
    assert (
        sorted(code(a) for a in answers if a.status_code != 201) == [(409, "programme.exists")] * 3
    )
    assert len(await events()) == 1
    (first,) = [a.json() for a in answers if a.status_code == 201]
    other = await make("programmes", **{**year, "school_year": "2027/28"})
    place = f"/programmes/{other['id']}"
    moved = await client.patch(place, json={"school_year": "2026/27"})
    assert code(moved) == (409, "programme.exists")
    await client.delete(f"/programmes/{first['id']}")
    assert (await client.patch(place, json={"school_year": "2026/27"})).status_code == 200


async def test_creating_again_is_the_same_programme(
    client: httpx.AsyncClient, events: Events, year: dict[str, Any]
) -> None:
    body = {"id": str(uuid4()), **year, **PARTS}
    await events()
    answers = await asyncio.gather(*(client.post("/programmes", json=body) for _ in range(3)))
    assert sorted(a.status_code for a in answers) == [200, 200, 201]
    shuffled = {**body, "documents": PARTS["documents"][::-1]}
    assert (await client.post("/programmes", json=shuffled)).status_code == 200
    other = await client.post("/programmes", json={**body, "staffed": False})
    assert code(other) == (409, "programme.id_conflict")
    assert len(await events()) == 1


async def test_whom_a_programme_needs_stays(
    client: httpx.AsyncClient, make: Made, year: dict[str, Any]
) -> None:
    curator = await make.pupil((await make.school())["id"])
    made = await make("programmes", **year, curator_id=curator["id"])
    school = f"/organizations/{year['organization_id']}"
    assert code(await client.delete(school)) == (409, "organization.in_use")
    person = f"/participants/{curator['id']}"
    assert code(await client.delete(person)) == (409, "participant.in_use")
    await client.delete(f"/programmes/{made['id']}")
    assert (await client.delete(person)).status_code == 200
    assert (await client.delete(school)).status_code == 200
    gone = {**year, "organization_id": (await make.school())["id"], "curator_id": curator["id"]}
    assert code(await client.post("/programmes", json=gone)) == (422, "participant.unknown")


async def test_a_programme_never_has_a_deleted_curator(
    client: httpx.AsyncClient, make: Made, year: dict[str, Any]
) -> None:
    for _ in range(5):
        school = await make.school()
        curator = await make.pupil(school["id"])
        body = {**year, "organization_id": school["id"], "curator_id": curator["id"]}
        started, retracted = await asyncio.gather(
            client.post("/programmes", json=body), client.delete(f"/participants/{curator['id']}")
        )
        assert (started.status_code, retracted.status_code) in {(201, 409), (422, 200)}


async def test_programmes_are_found_by_organisation_and_year(
    client: httpx.AsyncClient, make: Made, year: dict[str, Any]
) -> None:
    one = await make("programmes", **year)
    two = await make("programmes", **{**year, "school_year": "2027/28"})
    three = await make(
        "programmes", organization_id=(await make.school())["id"], school_year="2026/27"
    )

    async def found(**query: Any) -> set[str]:
        page = await client.get("/programmes", params=query)
        return {item["id"] for item in page.json()["items"]}

    assert await found(organization_id=year["organization_id"]) == {one["id"], two["id"]}
    assert await found(school_year="2026/27") == {one["id"], three["id"]}
    assert await found(**year) == {one["id"]}
    page = (await client.get("/programmes", params={"limit": 2})).json()
    rest = await client.get("/programmes", params={"cursor": page["next_cursor"]})
    assert len(page["items"]) == 2
    assert len(rest.json()["items"]) == 1
