"""Official headcounts over HTTP, and the events they leave."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.registry.conftest import Events, Made


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


@pytest.fixture
async def count(make: Made) -> dict[str, Any]:
    region = await make("organizations", level="region", name="Область")
    return {
        "organization_id": region["id"],
        "school_year": "2026/27",
        "population": "students",
        "headcount": 470_000,
        "source": "ОО-1",
        "as_of": "2026-09-20",
    }


async def test_a_count_lives_and_dies(
    client: httpx.AsyncClient, make: Made, events: Events, count: dict[str, Any]
) -> None:
    made = await make("reference-counts", **count)
    assert made == {**count, "id": made["id"], "version": 1}
    place = f"/reference-counts/{made['id']}"
    read = await client.get(place)
    assert (read.json(), read.headers["etag"]) == (made, '"1"')
    same = await client.patch(place, json={"headcount": 470_000})
    assert same.headers["etag"] == '"1"'
    changed = await client.patch(place, json={"headcount": 0}, headers={"If-Match": '"1"'})
    assert changed.json() == {**made, "headcount": 0, "version": 2}
    stale = await client.delete(place, headers={"If-Match": '"1"'})
    assert code(stale) == (412, "version.stale")
    unit = f"/organizations/{count['organization_id']}"
    assert code(await client.delete(unit)) == (409, "organization.in_use")
    assert (await client.delete(place)).json()["version"] == 3
    assert code(await client.get(place)) == (404, "reference_count.not_found")
    assert (await client.delete(unit)).status_code == 200
    found = [e for e in await events() if e.topic == "nastavnik.reference-counts"]
    assert [(e.type.split(".")[2], e.version) for e in found] == [
        ("entered", 1),
        ("changed", 2),
        ("deleted", 3),
    ]
    assert found[0].value == {**made, "school_year": 2026}
    assert found[2].value is None


async def test_one_live_count_per_unit_year_and_population(
    client: httpx.AsyncClient, make: Made, events: Events, count: dict[str, Any]
) -> None:
    await events()
    answers = await asyncio.gather(
        *(client.post("/reference-counts", json={**count, "headcount": n}) for n in range(4))
    )
    assert (
        sorted(code(a) for a in answers if a.status_code != 201)
        == [(409, "reference_count.exists")] * 3
    )
    assert len(await events()) == 1
    (first,) = [a.json() for a in answers if a.status_code == 201]
    staff = await make("reference-counts", **{**count, "population": "staff"})
    place = f"/reference-counts/{staff['id']}"
    moved = await client.patch(place, json={"population": "students"})
    assert code(moved) == (409, "reference_count.exists")
    found = await client.get("/reference-counts", params={"population": "staff"})
    assert [c["id"] for c in found.json()["items"]] == [staff["id"]]
    of_year = {"school_year": "2026/27", "organization_id": count["organization_id"]}
    found = await client.get("/reference-counts", params=of_year)
    assert {c["id"] for c in found.json()["items"]} == {first["id"], staff["id"]}
    await client.delete(f"/reference-counts/{first['id']}")
    assert (await client.patch(place, json={"population": "students"})).status_code == 200


async def test_creating_again_is_the_same_count(
    client: httpx.AsyncClient, events: Events, count: dict[str, Any]
) -> None:
    body = {"id": str(uuid4()), **count}
    await events()
    answers = await asyncio.gather(*(client.post("/reference-counts", json=body) for _ in "abc"))
    assert sorted(a.status_code for a in answers) == [200, 200, 201]
    other = await client.post("/reference-counts", json={**body, "headcount": 1})
    assert code(other) == (409, "reference_count.id_conflict")
    assert len(await events()) == 1


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"organization_id": str(uuid4())}, "organization.unknown"),
        ({"headcount": -1}, "request.invalid"),
        ({"headcount": 2**31}, "request.invalid"),
        ({"headcount": "470"}, "request.invalid"),
        ({"headcount": None}, "request.invalid"),
        ({"population": "parents"}, "request.invalid"),
        ({"source": "  "}, "request.invalid"),
        ({"as_of": "20.09.2026"}, "request.invalid"),
        ({"note": "Х"}, "request.invalid"),
    ],
)
async def test_bad_counts_are_refused(
    client: httpx.AsyncClient,
    make: Made,
    count: dict[str, Any],
    part: dict[str, Any],
    expected: str,
) -> None:
    refused = await client.post("/reference-counts", json={**count, **part})
    assert code(refused) == (422, expected)
    made = await make("reference-counts", **count)
    refused = await client.patch(f"/reference-counts/{made['id']}", json=part)
    assert code(refused) == (422, expected)
