"""The change feed: what the relay has published, in an order in which nothing is skipped."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from nastavnik_common.outbox import Outbox, Relay, RelayMetrics
from nastavnik_common.paging import encode_cursor
from nastavnik_events import ORGANIZATION, Latest, from_cloudevent
from nastavnik_local.servers import LocalServers
from nastavnik_registry import tables
from nastavnik_registry.aggregates.states import organization_state
from nastavnik_registry.settings import RegistrySettings
from tests.registry.conftest import Made

Json = dict[str, Any]


@pytest.fixture
async def relay(
    app: FastAPI, servers: LocalServers, registry_settings: RegistrySettings
) -> AsyncIterator[None]:
    """What goes into the outbox is published while the test runs."""
    settings = registry_settings.model_copy(
        update={
            "kafka_bootstrap_servers": servers.kafka.bootstrap,
            "kafka_idempotence": servers.kafka.idempotent,
        }
    )
    metrics = RelayMetrics(CollectorRegistry())
    work = Relay(
        settings, app.state.service.sessions, tables.outbox, metrics, sweep_seconds=0.05
    ).run()
    task = asyncio.create_task(work)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class Follower:
    """Asks with the cursor of the answer before."""

    def __init__(self, client: httpx.AsyncClient, **query: Any) -> None:
        self._client = client
        self.query = query
        self.seen: list[Json] = []

    async def ask(self, **more: Any) -> list[Json]:
        answer = await self._client.get("/changes", params={**self.query, **more})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        self.query["cursor"] = body["next_cursor"]
        self.seen += body["items"]
        items: list[Json] = body["items"]
        return items

    async def until(self, count: int) -> list[Json]:
        """Ask until that many have come in all."""
        while len(self.seen) < count:
            await self.ask(wait=5)
        return self.seen


@pytest.fixture
def follower(client: httpx.AsyncClient, relay: None) -> Follower:
    return Follower(client)


def ids(items: list[Json]) -> list[str]:
    return [item["subject"] for item in items]


async def test_changes_come_as_cloud_events_in_the_order_of_publication(
    follower: Follower, make: Made
) -> None:
    first, second = await make.school(), await make.school(name="Школа № 2")
    found = await follower.until(2)
    assert ids(found) == [first["id"], second["id"]]
    event = found[0]
    assert event["specversion"] == "1.0"
    assert event["type"] == "nastavnik.organization.registered.v1"
    assert event["id"] == f"{first['id']}:1"
    assert (event["sequence"], event["datacontenttype"]) == ("1", "application/json")
    assert event["data"]["name"] == "Школа № 1"
    change = from_cloudevent(event)
    assert change is not None
    assert str(change.id) == first["id"]


async def test_only_the_newest_state_is_kept_and_it_comes_at_its_own_place(
    follower: Follower, make: Made, client: httpx.AsyncClient
) -> None:
    first, second = await make.school(), await make.school(name="Школа № 2")
    await follower.until(2)
    await client.patch(f"/organizations/{first['id']}", json={"name": "Гимназия № 1"})
    assert ids(await follower.until(3)) == [first["id"], second["id"], first["id"]]
    anew = Follower(client)
    assert ids(await anew.ask()) == [second["id"], first["id"]]
    assert anew.seen[1]["data"]["name"] == "Гимназия № 1"
    assert await anew.ask() == []


async def test_a_deletion_is_a_tombstone_with_its_version(
    follower: Follower, make: Made, client: httpx.AsyncClient
) -> None:
    school = await make.school()
    await client.delete(f"/organizations/{school['id']}")
    latest = Latest()
    while not latest.deleted(ORGANIZATION):
        for item in await follower.ask(wait=5):
            change = from_cloudevent(item)
            assert change is not None
            latest.apply(change)
    last = follower.seen[-1]
    assert (last["data"], last["sequence"]) == (None, "2")
    assert last["type"] == "nastavnik.organization.deleted.v1"
    assert not latest.states(ORGANIZATION)


async def test_what_commits_late_is_not_skipped(
    follower: Follower, app: FastAPI, make: Made, client: httpx.AsyncClient
) -> None:
    """A transaction takes its place in the outbox, and another overtakes it to the commit."""
    slow, quick = await make.school(), await make.school(name="Школа № 2")
    await follower.until(2)
    async with app.state.service.sessions.begin() as tx:
        row = await tx.get(tables.OrgUnit, slow["id"])
        row.version = 2
        await tx.flush()
        outbox: Outbox = app.state.service.outbox
        await outbox.add(tx, outbox.event(ORGANIZATION, "changed", organization_state(row, ())))
        await client.patch(f"/organizations/{quick['id']}", json={"name": "Лицей № 2"})
        assert ids(await follower.until(3))[2:] == [quick["id"]]
    assert ids(await follower.until(4))[3:] == [slow["id"]]


async def test_pages_go_on_where_the_one_before_ended_while_rows_change(
    follower: Follower, make: Made, client: httpx.AsyncClient
) -> None:
    schools = [await make.school(name=f"Школа № {number}") for number in range(5)]
    await follower.until(5)
    paged = Follower(client, limit=2)
    await paged.ask()
    changed = schools[3]["id"]
    await client.patch(f"/organizations/{changed}", json={"name": "Лицей"})
    await follower.until(6)
    while await paged.ask():
        pass
    order = [school["id"] for school in schools]
    assert ids(paged.seen) == [*order[:3], order[4], changed]
    assert paged.seen[-1]["data"]["name"] == "Лицей"


async def test_kinds_can_be_chosen_and_personal_data_is_not_there(
    follower: Follower, make: Made, client: httpx.AsyncClient
) -> None:
    school = await make.school()
    pupil = await make.pupil(school["id"], birth_date="2011-03-14")
    await follower.until(2)
    chosen = Follower(client)
    found = await chosen.ask(kind=["participant", "target"])
    assert ids(found) == [pupil["id"]]
    assert set(found[0]["data"]) == {
        "id", "version", "birth_year", "teaching_since_year", "memberships", "trainings",
        "consents", "withdrawn",
    }  # fmt: skip
    for text in ("Соколова", "Вера", "2011-03-14"):
        assert text not in str(follower.seen)
    refused = await client.get("/changes", params={"kind": "session"})
    assert (refused.status_code, refused.json()["code"]) == (422, "request.invalid")


async def test_waiting_ends_with_the_change_and_without_one(
    follower: Follower, make: Made, client: httpx.AsyncClient
) -> None:
    await make.school()
    await follower.until(1)
    assert await follower.ask(wait=0.05) == []
    waiting = asyncio.create_task(follower.ask(wait=30))
    second = await make.school(name="Школа № 2")
    assert ids(await waiting) == [second["id"]]


async def test_a_cursor_of_another_life_of_the_database_is_gone(
    follower: Follower, make: Made, client: httpx.AsyncClient
) -> None:
    await make.school()
    await follower.until(1)
    gone = await client.get("/changes", params={"cursor": encode_cursor("1.1.1", 0)})
    assert (gone.status_code, gone.json()["code"]) == (410, "cursor.expired")
    wrong = await client.get("/changes", params={"cursor": "nonsense"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "cursor.invalid")


async def test_publishing_again_brings_everybody_everything_and_changes_nothing(
    follower: Follower, make: Made, client: httpx.AsyncClient
) -> None:
    school = await make.school()
    await follower.until(1)
    await client.post("/admin/republish")
    again = (await follower.until(2))[1]
    assert (again["subject"], again["sequence"]) == (school["id"], "1")
