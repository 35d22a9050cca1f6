"""Trainings of participants over HTTP, in their events, and through an import."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.registry.conftest import Events, Made
from tests.registry.packages import Roster

MENTOR = {"role": "mentor", "completed_on": "2026-06-01"}
CURATOR = {"role": "curator", "completed_on": "2025-06-01"}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


async def test_trainings_are_sorted_and_told_once(
    client: httpx.AsyncClient, make: Made, events: Events
) -> None:
    school = await make.school()
    await events()
    person = await make.pupil(school["id"], trainings=[MENTOR, CURATOR, MENTOR])
    place = f"/participants/{person['id']}"
    assert person["trainings"] == [CURATOR, MENTOR]
    assert (await client.get(place)).json() == person
    assert (await client.get("/participants")).json()["items"] == [person]
    same = await client.patch(place, json={"trainings": [MENTOR, CURATOR]})
    assert same.headers["etag"] == '"1"'
    renamed = await client.patch(place, json={"given_name": "Вероника"})
    assert renamed.json()["trainings"] == [CURATOR, MENTOR]
    cut = await client.patch(place, json={"trainings": [MENTOR]})
    assert cut.json()["trainings"] == [MENTOR]
    assert code(await client.patch(place, json={"trainings": None})) == (422, "request.invalid")
    told = [e.value["trainings"] for e in await events() if e.value]
    assert told == [[CURATOR, MENTOR], [CURATOR, MENTOR], [MENTOR]]
    assert (await client.delete(place)).status_code == 200


async def test_the_same_person_again_has_the_same_trainings(
    client: httpx.AsyncClient, make: Made
) -> None:
    person = await make.pupil((await make.school())["id"], trainings=[MENTOR])
    told = {"version", "erased_at", "consents", "withdrawn"}
    body = {name: value for name, value in person.items() if name not in told}
    assert (await client.post("/participants", json=body)).status_code == 200
    other = await client.post("/participants", json={**body, "trainings": []})
    assert code(other) == (409, "participant.id_conflict")


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({**MENTOR, "completed_on": "2999-01-01"}, "participant.training_in_future"),
        ({**MENTOR, "completed_on": "2010-01-01"}, "participant.training_date"),
        ({**MENTOR, "role": "mentee"}, "request.invalid"),
        ({"role": "mentor"}, "request.invalid"),
        ({**MENTOR, "place": "ИРО"}, "request.invalid"),
    ],
)
async def test_bad_trainings_are_refused(
    client: httpx.AsyncClient, make: Made, training: dict[str, Any], expected: str
) -> None:
    person = await make.pupil((await make.school())["id"], birth_date="2011-03-04")
    refused = await client.patch(f"/participants/{person['id']}", json={"trainings": [training]})
    assert code(refused) == (422, expected)


async def test_an_import_leaves_trainings_as_they_are(
    app: FastAPI, client: httpx.AsyncClient, events: Events
) -> None:
    async def run(roster: Roster) -> None:
        body = roster.pack().getvalue()
        headers = {"content-type": "application/zip"}
        await client.post("/imports?source=sgo", content=body, headers=headers)
        await app.state.service.jobs.drain()

    roster = Roster()
    await run(roster)
    asked = {"source": "sgo", "kind": "participant", "ids": ["u1"]}
    found = (await client.post("/external-ids:resolve", json=asked)).json()["found"]
    place = f"/participants/{found['u1']}"
    await client.patch(place, json={"trainings": [MENTOR]})
    await events()
    roster.edit("users", 2, "givenName", "Алина")
    await run(roster)
    (told,) = await events()
    assert told.key == found["u1"]
    assert told.value is not None
    assert told.value["trainings"] == [MENTOR]
    person = (await client.get(place)).json()
    assert (person["given_name"], person["trainings"]) == ("Алина", [MENTOR])
