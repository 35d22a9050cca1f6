"""From a request to a figure, through all three services."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from nastavnik_local.scenario_api import Api
from tests import tokens
from tests.system.helpers import Json, System, World, figure, until, until_exact, until_figures


@pytest.fixture
async def world(api: Api) -> World:
    """Three pupils, two of whom are a pair."""
    return await World(api).build(pupils=3, pairs=1)


async def test_a_figure_follows_corrections_and_voids(
    running: System, api: Api, world: World
) -> None:
    await until_figures(api, world.units, (0, 3))
    meeting = world.meeting(1)  # both came
    made = await api.send("activity", "POST", "/sessions", meeting)
    assert made.status == 201
    await until_figures(api, world.units, (2, 3))

    path = f"/sessions/{meeting['id']}"
    absent = [{**meeting["attendance"][0]}, {**meeting["attendance"][1], "attended": False}]
    await api.send("activity", "PATCH", path, {"attendance": absent})
    await until_figures(api, world.units, (1, 3))
    await api.send("activity", "PATCH", path, {"attendance": meeting["attendance"]})
    await until_figures(api, world.units, (2, 3))

    await api.send("activity", "POST", f"{path}:void", {"reason": "entered_by_mistake"})
    await until_figures(api, world.units, (0, 3))
    await until_exact(running, api, lambda log: log.sessions[meeting["id"]].status == "voided")


async def test_a_person_who_is_deleted_leaves_the_figure(api: Api, world: World) -> None:
    await until_figures(api, world.units, (0, 3))
    deleted = await api.client("registry").delete(f"/participants/{world.people[2]}")
    assert deleted.status_code == 200
    await until_figures(api, world.units, (0, 2))
    assert (await api.get("registry", f"/participants/{world.people[2]}")).status == 404


async def test_a_school_that_moves_takes_its_figure_along(api: Api, world: World) -> None:
    await api.send("activity", "POST", "/sessions", world.meeting(1))
    await until_figures(api, world.units, (2, 3))
    town = str(uuid4())
    body = {"id": town, "level": "municipality", "name": "Новый город", "parent_id": world.region}
    await api.send("registry", "POST", "/organizations", body)
    await api.send("registry", "PATCH", f"/organizations/{world.school}", {"parent_id": town})
    await until_figures(api, [town, world.region], (2, 3))
    await until_figures(api, [world.town], (0, 0))


class Stream:
    """A live stream over a real socket, read event by event."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()
        self.last_id = ""

    async def block(self) -> dict[str, str]:
        """The fields up to the next blank line."""
        found: dict[str, str] = {}
        async for line in self._lines:
            if not line and found:
                break
            name, _, text = line.partition(": ")
            if name:
                found[name] = text
        assert found, "the stream ended"
        self.last_id = found.get("id", self.last_id)
        return found

    async def value(self) -> Json:
        while "data" not in (block := await self.block()):
            pass
        assert block["event"] == "value"
        found: Json = json.loads(block["data"])
        return found

    async def value_with(self, numerator: int) -> Json:
        async with asyncio.timeout(30):
            while (found := await self.value())["numerator"] != numerator:
                pass
        return found


class _Open:
    """`async with _Open(...) as stream`: connected, the first block read."""

    def __init__(self, running: System, last_id: str = "", **query: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=running.url("metrics"),
            timeout=30,
            trust_env=False,
            headers=tokens.allowed(),
        )
        headers = {"last-event-id": last_id} if last_id else {}
        self._stream = self._client.stream("GET", "/stream", params=query, headers=headers)

    async def __aenter__(self) -> Stream:
        answer = await self._stream.__aenter__()
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = Stream(answer)
        assert "id" in await stream.block()
        return stream

    async def __aexit__(self, *raised: Any) -> None:
        await self._stream.__aexit__(*raised)
        await self._client.aclose()


async def test_who_listens_hears_the_new_value_and_misses_none_while_away(
    running: System, api: Api, world: World
) -> None:
    await until_figures(api, world.units, (0, 3))
    query = {"unit": world.region, "indicator": "coverage.students"}
    meeting = world.meeting(1)
    path = f"/sessions/{meeting['id']}"
    async with _Open(running, **query) as stream:
        await api.send("activity", "POST", "/sessions", meeting)
        heard = await stream.value_with(2)
        assert (heard["unit_id"], heard["indicator"]) == (world.region, "coverage.students")
        assert heard["denominator"] == 3
        assert await figure(api.client("metrics"), world.region) == (2, 3)
        # the same change in the other form follows: then there is nothing more to hear
        while heard["form"] == "all":
            heard = await stream.value_with(2)
        last_id = stream.last_id

    one = [{**meeting["attendance"][0]}, {**meeting["attendance"][1], "attended": False}]
    await api.send("activity", "PATCH", path, {"attendance": one})
    await until_figures(api, [world.region], (1, 3))
    await until(lambda: _announced(running, world.region, 1))
    await api.send("activity", "POST", f"{path}:void", {})
    await until_figures(api, [world.region], (0, 3))

    async with _Open(running, last_id=last_id, **query) as stream:
        assert int(stream.last_id) >= int(last_id)
        assert (await stream.value_with(1))["unit_id"] == world.region
        assert (await stream.value_with(0))["unit_id"] == world.region


async def _announced(running: System, unit: str, numerator: int) -> bool:
    """Whether the coverage of students is on the topic: then it is in the history too."""
    wanted = {
        "organization_id": unit,
        "indicator": "coverage.students",
        "form": "all",
        "numerator": numerator,
    }
    async for record in _records(running, "nastavnik.indicators"):
        if wanted.items() <= json.loads(record.value).items():
            return True
    return False


async def _records(running: System, topic: str) -> AsyncIterator[Any]:
    """All records the topic has now."""
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=running.bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        parts = consumer.assignment()
        ends = await consumer.end_offsets(parts)
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    yield record


async def test_the_correlation_id_goes_along(running: System, api: Api, world: World) -> None:
    meeting, correlation = world.meeting(1), f"test-{uuid4()}"
    sent = await api.client("activity").post(
        "/sessions", json=meeting, headers={"x-correlation-id": correlation}
    )
    assert sent.status_code == 201
    assert sent.headers["x-correlation-id"] == correlation
    headers = await until(lambda: _headers(running, meeting["id"]))
    assert headers["ce_correlationid"] == correlation
    lines = [line for line in running.log("activity") if line.get("correlation_id") == correlation]
    assert [(line["event"], line["status"]) for line in lines] == [("request", 201)]
    assert all(line["service"] == "activity" for line in lines)
    folded = await until(lambda: _folded(running, correlation))
    assert folded["service"] == "metrics"


async def _folded(running: System, correlation: str) -> Any:
    """What the projector logged of the batch that the request is in."""
    for line in running.log("metrics"):
        if correlation in line.get("correlation_ids", ()):
            return line
    return None


async def _headers(running: System, key: str) -> dict[str, str]:
    async for record in _records(running, "nastavnik.sessions"):
        if record.key.decode() == key:
            return {name: text.decode() for name, text in record.headers}
    return {}


async def test_a_repeated_request_gets_its_first_answer(api: Api, world: World) -> None:
    key, body = {"idempotency-key": str(uuid4())}, world.meeting(1)
    del body["id"]
    client = api.client("activity")
    first = await client.post("/sessions", json=body, headers=key)
    again = await client.post("/sessions", json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["etag"] == first.headers["etag"]
    other = await client.post("/sessions", json={**body, "duration_minutes": 9}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.key_reused")


async def test_a_stale_version_is_refused(api: Api, world: World) -> None:
    meeting = world.meeting(1)
    made = await api.client("activity").post("/sessions", json=meeting)
    path, old = f"/sessions/{meeting['id']}", {"if-match": made.headers["etag"]}
    changed = await api.client("activity").patch(path, json={"duration_minutes": 5}, headers=old)
    assert changed.status_code == 200
    assert changed.headers["etag"] != made.headers["etag"]
    stale = await api.client("activity").patch(path, json={"duration_minutes": 6}, headers=old)
    assert (stale.status_code, stale.json()["code"]) == (412, "version.stale")
    town = await api.client("registry").patch(
        f"/organizations/{world.town}", json={"name": "Город"}, headers={"if-match": '"7"'}
    )
    assert (town.status_code, town.json()["code"]) == (412, "version.stale")


@pytest.mark.parametrize("service", ["registry", "activity"])
async def test_twins_that_race_under_one_key_make_one_record(
    api: Api, world: World, service: str
) -> None:
    if service == "activity":
        path, body = "/sessions", world.meeting(1)
        query = {"mentorship_id": world.pairs[0][0]}
    else:
        path, body = "/organizations", {"level": "municipality", "name": "Близнецы"}
        body["parent_id"] = world.region
        query = {"parent_id": world.region, "name": "Близнецы"}
    body.pop("id", None)
    key = {"idempotency-key": str(uuid4())}
    client = api.client(service)
    answers = await asyncio.gather(*(client.post(path, json=body, headers=key) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await api.get(service, path, **query)).body["items"]) == 1
