"""Several of the same service: the figures, the order and the answers are those of one.

On the running system; what a test adds it takes away again.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from nastavnik_common import db
from nastavnik_local.processes import Child
from nastavnik_local.recount_log import Log
from nastavnik_local.scenario_api import Api
from tests.system.helpers import Json, System, World, readiness, until, until_exact

TIMES = 12
FULL_DAY = 800


@contextlib.asynccontextmanager
async def spare(running: System, name: str) -> AsyncIterator[tuple[Child, str]]:
    child, url = running.spare(name)
    try:
        await until(lambda: _ready(url))
        yield child, url
    finally:
        await asyncio.to_thread(child.stop)


async def _ready(url: str) -> bool:
    return await readiness(url) == (200, {})


@contextlib.asynccontextmanager
async def client(api: Api, url: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = api.client("activity").headers
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=60, trust_env=False
    ) as opened:
        yield opened


async def deadlocks(running: System, name: str) -> int:
    connection = await db.connect(running.servers.postgres.dsn(name))
    try:
        return int(
            await connection.fetchval(
                "select deadlocks from pg_stat_database where datname = current_database()"
            )
        )
    finally:
        await connection.close()


# -- projectors


@pytest.fixture
async def world(running: System, api: Api) -> World:
    """So many pairs that none of three replicas is left without one."""
    return await World(api).build(pupils=36, pairs=18)


async def test_projectors_come_go_and_die_under_load(
    running: System, api: Api, world: World
) -> None:
    before = await deadlocks(running, "metrics")
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        load = group.create_task(_load(world, api, stop))
        async with spare(running, "metrics") as (second, its_url):
            await until(lambda: _has_counted(api, its_url))
            async with spare(running, "metrics") as (third, url):
                await until(lambda: _has_counted(api, url))
                second.kill()
                await asyncio.sleep(0.5)
                third.stop()  # leaves the group while the dead one is still thought to be in it
            async with spare(running, "metrics") as (_, last_url):
                await until(lambda: _has_counted(api, last_url))
                stop.set()
                sent = await load
                await until_exact(running, api, lambda log: _holds(log, sent))
    await until_exact(running, api, lambda log: _holds(log, sent))
    accounts = (await api.client("metrics").post("/admin/accounting")).json()
    assert accounts["closes"], accounts
    audited = (await api.client("metrics").post("/admin/audit")).json()
    assert audited["drift"] == 0, audited
    assert await deadlocks(running, "metrics") == before


async def _load(world: World, api: Api, stop: asyncio.Event) -> dict[str, str]:
    """Sessions and corrections all the time: session → the technology it has in the end."""
    sent: dict[str, str] = {}
    while not stop.is_set():
        if len(sent) < FULL_DAY:
            sent |= dict.fromkeys(await world.log(len(world.pairs), start=len(sent)), "")
        for ident in list(sent)[-len(world.pairs) :]:
            for technology in ("talk", "workshop", "project"):
                change = {"technology": technology}
                await api.send("activity", "PATCH", f"/sessions/{ident}", change)
                sent[ident] = technology
    return sent


def _holds(log: Log, sent: dict[str, str]) -> bool:
    """The log ends with the last state of every session: the order of each is kept."""
    found = {i: s.technology for i, s in log.sessions.items() if i in sent}
    return found == sent


async def _has_counted(api: Api, url: str) -> bool:
    """Whether this replica has folded records of its own."""
    async with client(api, url) as metrics:
        text = (await metrics.get("/metrics")).text
    return any(
        "projector_records_total{" in line and 'outcome="applied"' in line
        for line in text.splitlines()
        if not line.endswith(" 0.0")
    )


# -- two activity services


async def test_two_services_given_one_request_do_it_once(
    running: System, api: Api, world: World
) -> None:
    async with spare(running, "activity") as (_, url), client(api, url) as second:
        both = (api.client("activity"), second)
        for number in range(TIMES):
            body = _without_id(world.meeting(number))
            key = {"idempotency-key": str(uuid4())}
            one, other = await asyncio.gather(
                *(at.post("/sessions", json=body, headers=key) for at in both)
            )
            assert one.status_code == 201, one.text
            assert (one.status_code, one.content) == (other.status_code, other.content)
        assert await _listed(api, world) == TIMES
        for number in range(TIMES):
            body = world.meeting(number)
            one, other = await asyncio.gather(*(at.post("/sessions", json=body) for at in both))
            assert {one.status_code, other.status_code} == {200, 201}, (one.text, other.text)
            assert one.json() == other.json()
        assert await _listed(api, world) == 2 * TIMES
        for number in range(TIMES):
            key = {"idempotency-key": str(uuid4())}
            bodies = (_without_id(world.meeting(number)), _without_id(world.meeting(number)))
            found = await asyncio.gather(
                *(
                    at.post("/sessions", json=body, headers=key)
                    for at, body in zip(both, bodies, strict=True)
                )
            )
            assert Counter(a.status_code for a in found) == {201: 1, 409: 1}
            refused = next(a for a in found if a.status_code == 409)
            assert refused.json()["code"] == "idempotency.key_reused"
        assert await _listed(api, world) == 3 * TIMES
    assert await deadlocks(running, "activity") == 0
    mine = {mentorship for mentorship, *_ in world.pairs}
    await until_exact(running, api, lambda log: _counted(log, mine) == 3 * TIMES)


def _without_id(body: Json) -> Json:
    return {name: value for name, value in body.items() if name != "id"}


def _counted(log: Log, pairs: set[str]) -> int:
    return sum(s.mentorship in pairs for s in log.sessions.values())


async def _listed(api: Api, world: World) -> int:
    found: list[Any] = []
    for mentorship, *_ in world.pairs:
        query = {"mentorship_id": mentorship, "limit": "1000"}
        found += (await api.get("activity", "/sessions", **query)).body["items"]
    return len(found)
