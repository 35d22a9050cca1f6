"""Org units, participants and targets over HTTP, and the events they leave."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fastapi import FastAPI
from sqlalchemy import Connection

from nastavnik_registry.tables import metadata
from tests import tokens
from tests.registry.conftest import Events, Made

INN, OGRN = "7707083893", "1027700132195"


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


async def test_migrations_make_what_the_metadata_says(app: FastAPI) -> None:
    def compare(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection)
        return list(compare_metadata(context, metadata))

    async with app.state.engine.connect() as connection:
        assert await connection.run_sync(compare) == []


async def test_a_unit_lives_and_dies(client: httpx.AsyncClient, make: Made, events: Events) -> None:
    region = await make("organizations", level="region", name="  Тверская область ")
    assert region["name"] == "Тверская область"
    school = await make.school(parent_id=region["id"], inn=INN, ogrn=OGRN)
    place = f"/organizations/{school['id']}"

    same = await client.patch(place, json={"name": "Школа № 1"})
    assert (same.status_code, same.headers["etag"]) == (200, '"1"')
    changed = await client.patch(place, json={"name": "Лицей", "inn": None})
    assert (changed.json()["name"], changed.json()["inn"]) == ("Лицей", None)
    assert changed.json()["version"] == 2

    in_use = await client.delete(f"/organizations/{region['id']}")
    assert code(in_use) == (409, "organization.in_use")
    assert (await client.delete(place)).json() == {
        "id": school["id"],
        "version": 3,
        "deleted": True,
    }
    assert code(await client.get(place)) == (404, "organization.not_found")
    assert code(await client.delete(place)) == (404, "organization.not_found")
    again = {"id": school["id"], "level": "organization", "kind": "general", "name": "Школа"}
    taken = await client.post("/organizations", json=again)
    assert code(taken) == (409, "organization.id_conflict")

    found = [e for e in await events() if e.key == school["id"]]
    assert [(e.type.split(".")[2], e.version) for e in found] == [
        ("registered", 1),
        ("changed", 2),
        ("deleted", 3),
    ]
    assert found[-1].value is None
    assert found[0].value is not None
    assert found[0].value["placements"][0]["parent_id"] == region["id"]
    assert INN not in found[0].text


async def test_the_tree_keeps_its_order(client: httpx.AsyncClient, make: Made) -> None:
    region = await make("organizations", level="region", name="Область")
    city = await make("organizations", level="municipality", name="Город", parent_id=region["id"])
    school = await make.school(parent_id=city["id"])

    async def refused(body: dict[str, Any]) -> tuple[int, str]:
        return code(await client.post("/organizations", json={"name": "Х", **body}))

    school_level = {"level": "organization", "kind": "general"}
    assert await refused({**school_level, "parent_id": school["id"]}) == (
        422,
        "organization.parent_level",
    )
    assert await refused({"level": "region", "parent_id": city["id"]}) == (
        422,
        "organization.parent_level",
    )
    assert await refused({**school_level, "parent_id": str(uuid4())}) == (
        422,
        "organization.unknown",
    )
    assert await refused({"level": "organization"}) == (422, "organization.kind_required")
    assert await refused({"level": "region", "kind": "general"}) == (
        422,
        "organization.kind_forbidden",
    )
    assert await refused({**school_level, "inn": "7707083894"}) == (422, "organization.bad_inn")
    assert await refused({**school_level, "ogrn": "1027700132196"}) == (
        422,
        "organization.bad_ogrn",
    )
    overlap = [
        {"parent_id": city["id"], "until": "2026-09-02"},
        {"parent_id": region["id"], "since": "2026-09-01"},
    ]
    assert await refused({**school_level, "placements": overlap}) == (
        422,
        "organization.placements_overlap",
    )
    empty = [{"parent_id": city["id"], "since": "2026-09-01", "until": "2026-09-01"}]
    assert await refused({**school_level, "placements": empty}) == (422, "interval.empty")


async def test_children_are_those_placed_there_today(client: httpx.AsyncClient, make: Made) -> None:
    old = await make("organizations", level="region", name="Старая область")
    new = await make("organizations", level="region", name="Новая область")
    moved = [
        {"parent_id": old["id"], "until": "2020-01-01"},
        {"parent_id": new["id"], "since": "2020-01-01"},
    ]
    school = await make.school(placements=moved)

    async def children(parent: dict[str, Any]) -> list[str]:
        found = await client.get("/organizations", params={"parent_id": parent["id"]})
        return [unit["id"] for unit in found.json()["items"]]

    assert await children(old) == []
    assert await children(new) == [school["id"]]


async def test_nothing_personal_leaves_in_an_event(
    client: httpx.AsyncClient, make: Made, events: Events, connection: asyncpg.Connection
) -> None:
    school = await make.school()
    person = await make.pupil(
        school["id"],
        middle_name="Петровна",
        birth_date="2011-03-04",
        email="vera@example.org",
        phone="+7 900 000-00-00",
        external_ids=[{"source": "sgo", "id": "u-17"}],
    )
    await client.patch(f"/participants/{person['id']}", json={"given_name": "Вероника"})
    await client.delete(f"/participants/{person['id']}")
    found = [e for e in await events() if e.key == person["id"]]
    assert [e.version for e in found] == [1, 2, 3]
    for event in found:
        for secret in ("Сокол", "Вер", "Петр", "2011-03", "vera@", "000-00-00", "u-17"):
            assert secret not in event.text
    assert found[0].value is not None
    assert found[0].value["birth_year"] == 2011
    row = await connection.fetchrow("select * from participant where id = $1", person["id"])
    personal = ("family_name", "given_name", "middle_name", "birth_date", "email", "phone")
    assert [row[name] for name in personal] == [None] * 6
    assert await connection.fetchval("select count(*) from external_id") == 0


async def test_home_is_one_place_at_a_time(client: httpx.AsyncClient, make: Made) -> None:
    one, two = await make.school(), await make.school(name="Школа № 2")
    both = [
        {"organization_id": one["id"], "kind": "student", "until": "2026-02-01"},
        {"organization_id": two["id"], "kind": "student", "since": "2026-01-31"},
    ]
    body = {"family_name": "А", "given_name": "Б", "memberships": both}
    refused = await client.post("/participants", json=body)
    assert code(refused) == (422, "participant.memberships_overlap")
    both[1]["since"] = "2026-02-01"
    person = (await client.post("/participants", json=body)).json()
    assert [m["organization_id"] for m in person["memberships"]] == [one["id"], two["id"]]
    found = await client.get("/participants", params={"organization_id": two["id"]})
    assert [p["id"] for p in found.json()["items"]] == [person["id"]]
    gone = await client.patch(f"/participants/{person['id']}", json={"memberships": []})
    assert gone.json()["memberships"] == []
    assert (await client.delete(f"/organizations/{two['id']}")).status_code == 200


@pytest.mark.parametrize(
    "field",
    [
        {"birth_date": "1799-01-01"},
        {"birth_date": "2999-01-01"},
        {"teaching_since": "1850-01-01"},
        {"family_name": "a\u0000b"},
        {"family_name": "   "},
        {"family_name": None},
        {"family_name": "я" * 256},
        {"email": "\ud800"},
        {"nickname": "Вера"},
        {"memberships": [{"organization_id": "x" * 3000, "kind": "student"}]},
    ],
)
async def test_bad_values_are_named_not_repeated(
    client: httpx.AsyncClient, field: dict[str, Any]
) -> None:
    body = {"family_name": "А", "given_name": "Б", "memberships": [], **field}
    answer = await client.post(
        "/participants", content=json.dumps(body), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    for value in field.values():
        if isinstance(value, str) and value.strip():
            assert value not in answer.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=-1", 422),
        ("limit=100000", 422),
        ("cursor=!!!", 400),
        ("cursor=W10", 400),
        ("name=%00", 422),
        ("name=" + "x" * 1000, 422),
        ("parent_id=zzz", 422),
        ("level=planet", 422),
    ],
)
async def test_bad_queries_are_refused(client: httpx.AsyncClient, query: str, status: int) -> None:
    answer = await client.get(f"/organizations?{query}")
    assert answer.status_code == status, answer.text


async def test_creating_again_is_the_same_record(
    client: httpx.AsyncClient, make: Made, events: Events
) -> None:
    school = await make.school()
    body = {
        "id": str(uuid4()),
        "family_name": "А",
        "given_name": "Б",
        "memberships": [{"organization_id": school["id"], "kind": "teacher"}],
    }
    await events()
    answers = await asyncio.gather(*(client.post("/participants", json=body) for _ in range(4)))
    assert sorted(a.status_code for a in answers) == [200, 200, 200, 201]
    other = await client.post("/participants", json={**body, "given_name": "В"})
    assert code(other) == (409, "participant.id_conflict")
    assert len(await events()) == 1


async def test_idempotency_key_and_if_match(client: httpx.AsyncClient, events: Events) -> None:
    body = {"level": "region", "name": "Область"}
    key = {"Idempotency-Key": str(uuid4())}
    first = await client.post("/organizations", json=body, headers=key)
    second = await client.post("/organizations", json=body, headers=key)
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    other = await client.post("/organizations", json={**body, "name": "Край"}, headers=key)
    assert code(other) == (409, "idempotency.key_reused")
    place = first.headers["location"]
    stale = await client.patch(place, json={"name": "Х"}, headers={"If-Match": '"7"'})
    assert code(stale) == (412, "version.stale")
    fresh = await client.patch(place, json={"name": "Х"}, headers={"If-Match": '"1"'})
    assert fresh.headers["etag"] == '"2"'
    assert len(await events()) == 2


async def test_a_key_belongs_to_one_caller_alone(client: httpx.AsyncClient) -> None:
    body = {"level": "region", "name": "Область"}
    key = {"Idempotency-Key": "1"}
    other = tokens.headers("region_administrator", subject="another")
    mine = await client.post("/organizations", json=body, headers=key)
    theirs = await client.post("/organizations", json=body, headers={**other, **key})
    again = await client.post("/organizations", json=body, headers={**other, **key})
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert again.json()["id"] == theirs.json()["id"] != mine.json()["id"]


async def test_a_key_belongs_to_one_query_too(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": str(uuid4())}

    async def republish(kind: str) -> httpx.Response:
        return await client.post("/admin/republish", params={"kind": kind}, headers=key)

    first = await republish("target")
    assert code(await republish("participant")) == (409, "idempotency.key_reused")
    again = await republish("target")
    assert (again.status_code, again.json()) == (202, first.json())


async def test_one_live_target_per_indicator_unit_and_year(
    client: httpx.AsyncClient, make: Made, events: Events
) -> None:
    body = {"indicator": "coverage.students", "school_year": "2026/27", "percent": 70}
    target = await make("targets", **body)
    assert (target["percent"], target["organization_id"]) == (70, None)
    assert code(await client.post("/targets", json=body)) == (409, "target.exists")
    later = await make("targets", **{**body, "school_year": "2027/28"})
    moved = await client.patch(f"/targets/{later['id']}", json={"school_year": "2026/27"})
    assert code(moved) == (409, "target.exists")
    assert (await client.delete(f"/targets/{target['id']}")).status_code == 200
    moved = await client.patch(
        f"/targets/{later['id']}", json={"school_year": "2026/27", "percent": 62.25}
    )
    assert moved.json()["percent"] == 62.25
    last = (await events())[-1]
    assert last.value is not None
    assert (last.value["school_year"], last.value["basis_points"]) == (2026, 6225)
    for wrong in ({"percent": 101}, {"percent": 33.333}, {"school_year": "2026/28"}):
        assert (await client.post("/targets", json={**body, **wrong})).status_code == 422
    listed = await client.get("/targets", params={"school_year": "2026/27"})
    assert [t["id"] for t in listed.json()["items"]] == [later["id"]]


async def test_outside_ids_lead_to_ours(client: httpx.AsyncClient, make: Made) -> None:
    ref = [{"source": "sgo", "id": "s-1"}]
    school = await make.school(external_ids=ref)
    taken = {"level": "region", "name": "Х", "external_ids": ref}
    assert code(await client.post("/organizations", json=taken)) == (409, "external_id.taken")
    asked = {"source": "sgo", "kind": "organization", "ids": ["s-1", "s-2"]}
    found = await client.post("/external-ids:resolve", json=asked)
    assert found.json() == {"found": {"s-1": school["id"]}, "unknown": ["s-2"]}
    asked["kind"] = "participant"
    assert (await client.post("/external-ids:resolve", json=asked)).json()["found"] == {}


async def test_lists_page_by_cursor(client: httpx.AsyncClient, make: Made) -> None:
    made = {(await make("organizations", level="region", name=f"Область {n}"))["id"] for n in "abc"}
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await client.get("/organizations", params=query)).json()
        seen += [unit["id"] for unit in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(seen) == 3
    assert set(seen) == made
    named = await client.get("/organizations", params={"name": "ЛАСТЬ B"})
    assert len(named.json()["items"]) == 1
    assert (await client.get("/organizations", params={"name": "%"})).json()["items"] == []


async def test_republish_says_all_again(
    client: httpx.AsyncClient, make: Made, events: Events
) -> None:
    school = await make.school()
    person = await make.pupil(school["id"])
    target = await make("targets", indicator="a.b", school_year="2026/27", percent=1)
    await client.delete(f"/targets/{target['id']}")
    trained = {"trainings": [{"role": "mentor", "completed_on": "2026-06-01"}]}
    await client.patch(f"/participants/{person['id']}", json=trained)
    year = {"organization_id": school["id"], "school_year": "2026/27"}
    await make("programmes", **year, plan=[{"month": "2026-10", "sessions": 4}])
    count = {"population": "staff", "headcount": 40, "source": "ОО-1", "as_of": "2026-09-20"}
    counted = await make("reference-counts", **year, **count)
    await client.patch(f"/reference-counts/{counted['id']}", json={"headcount": 41})
    before = {e.key: e for e in await events()}
    answer = await client.post("/admin/republish")
    assert answer.status_code == 202
    assert answer.json()["counts"] == {
        "organization": 1,
        "participant": 1,
        "target": 1,
        "programme": 1,
        "reference_count": 1,
    }
    after = {e.key: e for e in await events()}
    assert {k: (e.type, e.version, e.value) for k, e in before.items()} == {
        k: (e.type, e.version, e.value) for k, e in after.items()
    }
    one = await client.post("/admin/republish", params={"kind": "target"})
    assert one.json() == {"counts": {"target": 1}}
