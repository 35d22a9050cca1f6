"""Who has not consented to mentoring takes no part: known from events, asked at every beginning."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from nastavnik_activity import replica
from nastavnik_activity.app import create_app
from nastavnik_common.settings import Settings
from tests import tokens
from tests.activity import make
from tests.activity.talk import batch, code, move

MISSING = (422, "mentorship.consent_missing")


async def told(app: FastAPI, *people: str | UUID, version: int, **more: Any) -> None:
    """The registry says something new about people."""
    async with app.state.service.sessions.begin() as tx:
        records = [make.record(make.participant(UUID(str(p)), version, **more)) for p in people]
        await replica.apply(tx, records)


async def test_who_has_withdrawn_takes_no_part(
    app: FastAPI, client: httpx.AsyncClient, school: make.School
) -> None:
    asked = school.pair(active_from="2025-09-01")
    made = (await client.post("/mentorships", json=asked)).json()
    draft = (await client.post("/mentorships", json=school.pair())).json()
    mentor, mentee = (m["participant_id"] for m in made["members"])
    query = {"consent_withdrawn": "true"}
    assert (await client.get("/mentorships", params=query)).json()["items"] == []

    await told(app, mentee, version=2, withdrawn=("mentoring", "photo"))
    assert code(await client.post("/mentorships", json=school.pair())) == MISSING
    assert code(await move(client, draft["id"], "activate", "2025-09-02")) == MISSING
    lines = await batch(client, [school.pair()], "/mentorships:batch")
    assert lines[0]["problem"]["code"] == "mentorship.consent_missing"
    listed = (await client.get("/mentorships", params=query)).json()["items"]
    assert {item["id"] for item in listed} == {made["id"], draft["id"]}

    ended = await move(client, made["id"], "terminate", "2025-10-01", reason="consent_withdrawn")
    assert ended.status_code == 200
    assert code(await move(client, made["id"], "reopen", "2025-10-02")) == MISSING
    listed = (await client.get("/mentorships", params=query)).json()["items"]
    assert [item["id"] for item in listed] == [draft["id"]]

    await told(app, mentee, version=3, consents=("mentoring",))
    assert (await client.post("/mentorships", json=school.pair())).status_code == 201
    await told(app, mentor, version=2, withdrawn=("photo",))
    assert (await client.post("/mentorships", json=school.pair())).status_code == 201


async def test_nobody_who_withdrew_is_named_later(
    app: FastAPI, client: httpx.AsyncClient, school: make.School
) -> None:
    made = (await client.post("/mentorships", json=school.pair())).json()
    spare = next(p for p in school.people if str(p) not in str(made["members"]))
    await told(app, spare, version=2, withdrawn=("mentoring",))
    members = [made["members"][0], {"participant_id": str(spare), "role": "mentee"}]
    refused = await client.patch(f"/mentorships/{made['id']}", json={"members": members})
    assert code(refused) == MISSING


@pytest.fixture
async def strict(
    settings: Settings, school: make.School
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """A service that asks for a consent of every member."""
    app = create_app(settings.model_copy(update={"mentoring_consent": "required"}))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    base, headers = "http://activity", tokens.allowed()
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as opened:
        yield app, opened
    await app.state.engine.dispose()


async def test_where_consents_are_required_everybody_has_given_one(
    strict: tuple[FastAPI, httpx.AsyncClient], school: make.School
) -> None:
    app, client = strict
    asked = school.pair()
    people = [member["participant_id"] for member in asked["members"]]
    assert code(await client.post("/mentorships", json=asked)) == MISSING
    await told(app, people[0], version=2, consents=("mentoring",))
    assert code(await client.post("/mentorships", json=asked)) == MISSING
    await told(app, people[1], version=2, consents=("contacts", "mentoring"))
    assert (await client.post("/mentorships", json=asked)).status_code == 201
