"""A grant for a part of the tree: what lies elsewhere is neither listed, found nor written."""

import json
from typing import Any, NamedTuple

import httpx
import pytest

from tests import tokens
from tests.registry.conftest import Made

Json = dict[str, Any]


class Towns(NamedTuple):
    """Two municipalities with a school each, and a pupil in each of these."""

    east: Json
    west: Json
    school: Json
    other: Json
    pupil: Json
    stranger: Json


@pytest.fixture
async def towns(make: Made) -> Towns:
    region = await make("organizations", level="region", name="Область")
    under = {"level": "municipality", "parent_id": region["id"]}
    east = await make("organizations", name="Восток", **under)
    west = await make("organizations", name="Запад", **under)
    school = await make.school(parent_id=east["id"])
    other = await make.school(parent_id=west["id"])
    pupil, stranger = await make.pupil(school["id"]), await make.pupil(other["id"])
    return Towns(east, west, school, other, pupil, stranger)


async def listed(client: httpx.AsyncClient, noun: str, headers: Any, **query: Any) -> set[str]:
    """Ids on all pages of one row."""
    found: set[str] = set()
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": 1, **query, **({"cursor": cursor} if cursor else {})}
        page = (await client.get(f"/{noun}", params=params, headers=headers)).json()
        found |= {item["id"] for item in page["items"]}
        cursor = page["next_cursor"]
    return found


async def test_lists_hold_what_is_below(
    client: httpx.AsyncClient, make: Made, towns: Towns
) -> None:
    year = {"school_year": "2026/27"}
    mine = await make("programmes", organization_id=towns.school["id"], **year)
    await make("programmes", organization_id=towns.other["id"], **year)
    headers = tokens.headers("municipality_coordinator", towns.east["id"])
    below = {towns.east["id"], towns.school["id"]}
    assert await listed(client, "organizations", headers) == below
    assert await listed(client, "participants", headers) == {towns.pupil["id"]}
    assert await listed(client, "programmes", headers) == {mine["id"]}
    elsewhere = {"organization_id": towns.other["id"]}
    assert await listed(client, "participants", headers, **elsewhere) == set()


async def test_what_lies_elsewhere_is_not_found(client: httpx.AsyncClient, towns: Towns) -> None:
    headers = tokens.headers("school_curator", towns.school["id"])
    for noun, ident in (
        ("organizations", towns.other["id"]),
        ("organizations", towns.east["id"]),
        ("participants", towns.stranger["id"]),
    ):
        answer = await client.get(f"/{noun}/{ident}", headers=headers)
        assert answer.status_code == 404
        assert answer.json()["code"] == f"{noun[:-1]}.not_found"
    change = {"family_name": "Чужая"}
    place = f"/participants/{towns.stranger['id']}"
    assert (await client.patch(place, json=change, headers=headers)).status_code == 404
    assert (await client.delete(place, headers=headers)).status_code == 404
    assert (await client.get(place)).json() == towns.stranger


async def test_nothing_is_written_elsewhere(client: httpx.AsyncClient, towns: Towns) -> None:
    headers = tokens.headers("school_curator", towns.school["id"])
    body = {"family_name": "Новая", "given_name": "Инна"}
    both = [{"organization_id": s["id"], "kind": "student"} for s in (towns.school, towns.other)]
    for memberships in (both[1:], both, []):
        sent = {**body, "memberships": memberships}
        answer = await client.post("/participants", json=sent, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")
    place = f"/participants/{towns.pupil['id']}"
    answer = await client.patch(place, json={"memberships": both}, headers=headers)
    assert answer.json()["code"] == "out_of_scope"
    answer = await client.post(
        "/participants", json={**body, "memberships": both[:1]}, headers=headers
    )
    assert answer.status_code == 201


async def test_of_a_batch_the_lines_about_others_are_refused(
    client: httpx.AsyncClient, towns: Towns
) -> None:
    consent = {"purpose": "photo", "version": "1", "signed_on": "2026-09-01", "signed_by": "self"}
    lines = [{**consent, "participant_id": who["id"]} for who in (towns.stranger, towns.pupil)]
    headers = tokens.headers("school_curator", towns.school["id"])
    answer = await client.post(
        "/consents:batch",
        content="\n".join(map(json.dumps, lines)),
        headers={"content-type": "application/x-ndjson", **headers},
    )
    refused, made = map(json.loads, answer.text.splitlines())
    assert (refused["problem"]["code"], made["status"]) == ("out_of_scope", "created")


async def test_who_is_in_two_schools_is_changed_by_both_and_moved_by_neither(
    client: httpx.AsyncClient, make: Made, towns: Towns
) -> None:
    both = [{"organization_id": s["id"], "kind": "student"} for s in (towns.school, towns.other)]
    both[1]["primary"] = False
    person = await make.pupil(towns.school["id"], memberships=both)
    place = f"/participants/{person['id']}"
    headers = tokens.headers("school_curator", towns.other["id"])
    renamed = await client.patch(place, json={"family_name": "Иная"}, headers=headers)
    assert renamed.status_code == 200, renamed.text
    moved = await client.patch(place, json={"memberships": both[1:]}, headers=headers)
    assert moved.json()["code"] == "out_of_scope"
    assert (await client.delete(place, headers=headers)).json()["code"] == "out_of_scope"


async def test_the_tree_counts_as_it_is_now(client: httpx.AsyncClient, towns: Towns) -> None:
    east = tokens.headers("municipality_coordinator", towns.east["id"])
    west = tokens.headers("municipality_coordinator", towns.west["id"])
    place = f"/participants/{towns.pupil['id']}"
    assert (await client.get(place, headers=east)).status_code == 200
    school = f"/organizations/{towns.school['id']}"
    # whoever may not touch the other town can neither take from it nor give to it
    given = await client.patch(school, json={"parent_id": towns.west["id"]}, headers=east)
    assert given.json()["code"] == "out_of_scope"
    moved = await client.patch(school, json={"parent_id": towns.west["id"]})
    assert moved.status_code == 200, moved.text
    assert (await client.get(place, headers=east)).status_code == 404
    assert (await client.get(place, headers=west)).status_code == 200


async def test_a_region_is_made_by_those_who_may_everything(client: httpx.AsyncClient) -> None:
    body = {"level": "region", "name": "Новая область"}
    headers = tokens.headers("region_administrator", "7d0f5b5e-0000-4000-8000-000000000001")
    answer = await client.post("/organizations", json=body, headers=headers)
    assert answer.json()["code"] == "out_of_scope"
    headers = tokens.headers("region_administrator")
    assert (await client.post("/organizations", json=body, headers=headers)).status_code == 201


async def test_a_refusal_says_how_to_come_in(client: httpx.AsyncClient) -> None:
    cases: list[tuple[Any, str, str]] = [
        ({"authorization": ""}, "token_malformed", 'error="invalid_token"'),
        ({"authorization": "Basic YTpi"}, "token_malformed", 'error="invalid_token"'),
        ({"authorization": "Bearer ünsigned".encode("latin-1")}, "token_malformed", "Bearer"),
        (tokens.headers("auditor", exp=1), "token_expired", 'error_description="token_expired"'),
        (tokens.headers("auditor", aud="x"), "token_audience", "token_audience"),
    ]
    for headers, code, challenge in cases:
        answer = await client.get("/organizations", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert challenge in answer.headers["www-authenticate"]
    del client.headers["authorization"]
    answer = await client.get("/organizations")
    assert answer.json()["code"] == "token_missing"
    assert answer.headers["www-authenticate"] == 'Bearer realm="nastavnik"'
    for path in ("/healthz", "/metrics", "/openapi.json", "/docs"):
        assert (await client.get(path)).status_code == 200
