"""A grant for a part of the tree: whose figures are told."""

import httpx
import pytest

from tests import tokens
from tests.metrics.conftest import Tell
from tests.metrics.world import TREE, ident, meeting, pair, person

VALUES = "/indicators/coverage.students/values"


@pytest.fixture(autouse=True)
async def world(tell: Tell) -> None:
    people = [person(n, "school") for n in "abcdefgh"]
    await tell(*TREE, *people, pair("m", "a", "b"), meeting("x", "m", "a", "b"))


def asked(name: str, **more: str) -> dict[str, str]:
    return {"unit": str(ident(name)), "school_year": "2026/27", **more}


async def test_figures_are_those_of_the_units_below(client: httpx.AsyncClient) -> None:
    headers = tokens.headers("municipality_coordinator", ident("east"))
    for name, status in (("east", 200), ("school", 200), ("west", 404), ("region", 404)):
        for path in (VALUES, VALUES.replace("values", "series"), "/exports/values.csv"):
            answer = await client.get(path, params=asked(name), headers=headers)
            assert answer.status_code == status, (name, path)
        card = await client.get(f"/units/{ident(name)}/card", headers=headers)
        assert card.status_code == status
    page = (await client.get("/units", headers=headers)).json()
    assert {unit["id"] for unit in page["items"]} == {str(ident("east")), str(ident("school"))}


async def test_units_above_are_told_as_for_publication(client: httpx.AsyncClient) -> None:
    headers = tokens.headers("school_curator", ident("school"))
    for name, status in (("region", 200), ("east", 200), ("west", 404), ("other", 404)):
        answer = await client.get(VALUES, params=asked(name, public="true"), headers=headers)
        assert answer.status_code == status, name
    (value,) = (await client.get(VALUES, params=asked("region"))).json()["items"]
    (told,) = (
        await client.get(VALUES, params=asked("region", public="true"), headers=headers)
    ).json()["items"]
    assert value["state"] != "suppressed"
    assert told["state"] == "suppressed"


async def test_reports_are_those_of_the_units_below(client: httpx.AsyncClient) -> None:
    made = {}
    for name in ("school", "other"):
        body = {"unit_id": str(ident(name)), "school_year": "2026/27"}
        made[name] = (await client.post("/reports", json=body)).json()["id"]
    headers = tokens.headers("school_curator", ident("school"))
    page = (await client.get("/reports", headers=headers)).json()
    assert [report["id"] for report in page["items"]] == [made["school"]]
    for name, status in (("school", 200), ("other", 404)):
        answer = await client.get(f"/reports/{made[name]}/values", headers=headers)
        assert answer.status_code == status
        sent = await client.post(f"/reports/{made[name]}:submit", headers=headers)
        assert sent.status_code == status
        # the curator hands in; others accept
        taken = await client.post(f"/reports/{made[name]}:accept", headers=headers)
        assert taken.json()["code"] == "role_missing"
    body = {"unit_id": str(ident("works")), "school_year": "2026/27"}
    answer = await client.post("/reports", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")
