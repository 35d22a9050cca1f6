"""A grant for a part of the tree: what lies elsewhere is neither listed, found nor written."""

import json
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from nastavnik_activity import replica
from nastavnik_common.events.registry import Placement
from tests import tokens
from tests.activity import make
from tests.activity.conftest import Json

NDJSON = {"content-type": "application/x-ndjson"}
TOWN = uuid4()


@pytest.fixture
async def other(app: FastAPI) -> make.School:
    made = make.School()
    async with app.state.service.sessions.begin() as tx:
        await replica.apply(tx, made.records())
    return made


@pytest.fixture
async def elsewhere(client: httpx.AsyncClient, other: make.School) -> UUID:
    answer = await client.post("/mentorships", json=other.pair(active_from="2025-09-01"))
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def batch(client: httpx.AsyncClient, path: str, lines: list[Json], headers: Any) -> list[Any]:
    content = "\n".join(map(json.dumps, lines)).encode()
    answer = await client.post(path, content=content, headers={**NDJSON, **headers})
    assert answer.status_code == 200, answer.text
    found = [json.loads(line) for line in answer.text.splitlines()]
    return [line.get("problem", {}).get("code") or line["status"] for line in found]


async def test_lines_of_a_batch_are_judged_one_by_one(
    client: httpx.AsyncClient, school: make.School, pair: UUID, other: make.School, elsewhere: UUID
) -> None:
    headers = tokens.headers("integrator", school.id)
    sessions = [make.session(pair), make.session(elsewhere), make.session(uuid4())]
    said = await batch(client, "/sessions:batch", sessions, headers)
    assert said == ["created", "out_of_scope", "mentorship.unknown"]
    pairs = [school.pair(), other.pair()]
    said = await batch(client, "/mentorships:batch", pairs, headers)
    assert said == ["created", "out_of_scope"]
    surveys = [make.survey(pair, school.people[1]), make.survey(elsewhere, other.people[1])]
    surveys.append(make.climate(other, other.people[2]))
    said = await batch(client, "/surveys:batch", surveys, headers)
    assert said == ["created", "out_of_scope", "out_of_scope"]
    marks = [make.assessment(pair, school.people[1]), make.assessment(elsewhere, other.people[1])]
    said = await batch(client, "/assessments:batch", marks, headers)
    assert said == ["created", "out_of_scope"]


async def test_what_lies_elsewhere_is_neither_listed_nor_found_nor_written(
    client: httpx.AsyncClient, school: make.School, pair: UUID, other: make.School, elsewhere: UUID
) -> None:
    made = {}
    for place, mentorship, at in (("here", pair, school), ("there", elsewhere, other)):
        for noun, body in (
            ("sessions", make.session(mentorship)),
            ("contributions", make.contribution(at)),
            ("gatherings", make.gathering(at)),
        ):
            answer = await client.post(f"/{noun}", json=body)
            made[noun, place] = answer.json()["id"]
    headers = tokens.headers("school_curator", school.id)
    for noun in ("sessions", "contributions", "gatherings"):
        page = (await client.get(f"/{noun}", params={"limit": 1}, headers=headers)).json()
        assert [item["id"] for item in page["items"]] == [made[noun, "here"]]
        assert page["next_cursor"] is None
        there = f"/{noun}/{made[noun, 'there']}"
        assert (await client.get(there, headers=headers)).status_code == 404
        assert (await client.post(f"{there}:void", headers=headers)).status_code == 404
        assert (await client.get(there)).json()["status"] != "voided"
    query = {"mentorship_id": str(elsewhere)}
    page = (await client.get("/sessions", params=query, headers=headers)).json()
    assert page["items"] == []
    for noun, body in (
        ("sessions", make.session(elsewhere, "2025-10-02T14:00:00+03:00")),
        ("mentorships", other.pair()),
        ("gatherings", make.gathering(other)),
        ("surveys", make.survey(elsewhere, other.people[1])),
        ("surveys", make.climate(other, other.people[1])),
    ):
        answer = await client.post(f"/{noun}", json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope"), noun


async def test_the_tree_is_known_from_events_and_counts_as_it_is_now(
    app: FastAPI, client: httpx.AsyncClient, school: make.School, pair: UUID
) -> None:
    headers = tokens.headers("municipality_coordinator", TOWN)
    place = f"/mentorships/{pair}"
    assert (await client.get(place, headers=headers)).status_code == 404
    for version, placements, status in (
        (2, (Placement(parent_id=TOWN),), 200),
        (3, (Placement(parent_id=TOWN, until=date(2025, 9, 1)),), 404),
    ):
        moved = make.organization(school.id, version, placements=placements)
        async with app.state.service.sessions.begin() as tx:
            await replica.apply(tx, [make.record(moved)])
        assert (await client.get(place, headers=headers)).status_code == status
