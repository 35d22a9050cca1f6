"""Servers and services that die at the worst moment: nothing is lost, nothing counted twice.

Each test leaves the system whole again. The last word is always that of a recount from the log.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import psutil
import pytest

from nastavnik_local.recount_log import Log
from nastavnik_local.scenario_api import Api
from tests import tokens
from tests.system.helpers import (
    NAMES,
    System,
    World,
    figure,
    readiness,
    until,
    until_exact,
    until_figures,
    until_ready,
)

CONCERNED = {"registry": "kafka", "activity": "kafka", "metrics": "relay"}


@pytest.fixture(scope="module")
def started(fragile: System) -> System:
    """Up, though it was started before its broker was there."""
    fragile.servers.own_kafka.kill()
    fragile.start(ready_path="/healthz")
    for name in NAMES:
        status, unwell = asyncio.run(readiness(fragile.url(name)))
        assert status == 503, name
        assert CONCERNED[name] in unwell, name
    fragile.servers.own_kafka.restart()
    fragile.wait_ready()
    return fragile


@pytest.fixture
async def world(started: System, breakable: Api) -> World:
    """Eleven pupils, five pairs."""
    return await World(breakable).build(pupils=11, pairs=5)


def holds(sessions: list[str]) -> Callable[[Log], bool]:
    return lambda log: log.sessions.keys() >= set(sessions)


async def test_services_wait_for_a_broker_that_comes_later(world: World, breakable: Api) -> None:
    """The fixture has started them without one."""
    await until_figures(breakable, world.units, (0, 11))


async def test_without_kafka_writes_go_on_and_arrive_later(
    started: System, breakable: Api, world: World
) -> None:
    await until_figures(breakable, world.units, (0, 11))
    started.servers.own_kafka.kill()
    await world.person()
    sessions = await world.log(20)
    seen: dict[str, tuple[int, Mapping[str, str]]] = {}

    async def told() -> bool:
        seen.update({name: await readiness(started.url(name)) for name in NAMES})
        return all(seen[name][0] == 503 and CONCERNED[name] in seen[name][1] for name in NAMES)

    await until(told, 30, lambda: seen)
    assert await figure(breakable.client("metrics"), world.school) == (0, 11)
    sessions += await world.log(20, start=20)
    await asyncio.to_thread(started.servers.own_kafka.restart)
    await until_ready(started)
    await until_figures(breakable, world.units, (10, 12))
    await until_exact(started, breakable, holds(sessions))


@pytest.mark.parametrize("victim", NAMES)
async def test_a_service_killed_in_the_middle(
    started: System, breakable: Api, world: World, victim: str
) -> None:
    """Sessions flow in, some are corrected and voided; the clients try again as they should."""
    work = asyncio.create_task(_stream(world, breakable))
    await asyncio.sleep(0.3)
    started.kill(victim)
    await asyncio.sleep(0.2)
    await asyncio.to_thread(started.restart, victim)
    sessions, voided = await asyncio.wait_for(work, 60)

    def complete(log: Log) -> bool:
        mine = {i: log.sessions.get(i) for i in sessions}
        found = {i for i, s in mine.items() if s is not None and s.status == "voided"}
        return all(mine.values()) and found == voided

    log = await until_exact(started, breakable, complete)
    pairs = {mentorship for mentorship, *_ in world.pairs}
    assert sum(s.mentorship in pairs for s in log.sessions.values()) == len(sessions)
    listed = 0
    for mentorship in pairs:
        query = {"mentorship_id": mentorship, "limit": "1000"}
        listed += len((await breakable.get("activity", "/sessions", **query)).body["items"])
    assert listed == len(sessions)


async def _stream(world: World, api: Api) -> tuple[list[str], set[str]]:
    sessions: list[str] = []
    voided: set[str] = set()
    for start in range(0, 600, 60):
        made = await world.log(60, start)
        sessions += made
        await api.send("activity", "POST", f"/sessions/{made[0]}:void", {})
        voided.add(made[0])
        await api.send("activity", "PATCH", f"/sessions/{made[1]}", {"technology": "project"})
        await world.person()
    return sessions, voided


async def test_without_postgres_the_answer_says_so(
    started: System, breakable: Api, world: World
) -> None:
    sessions = await world.log(20)
    answers: list[tuple[int, str]] = []
    stop = asyncio.Event()

    async def ask() -> None:
        """All the time, so that the moments of dying and of starting are among it."""
        async with httpx.AsyncClient(
            timeout=30, trust_env=False, headers=tokens.allowed()
        ) as client:
            while not stop.is_set():
                for method, url, body in _requests(started, world):
                    answer = await client.request(method, url, json=body)
                    code = "" if answer.is_success else answer.json()["code"]
                    answers.append((answer.status_code, code))

    asking = asyncio.create_task(ask())
    await asyncio.sleep(0.3)
    await asyncio.to_thread(started.servers.own_postgres.kill)
    await until(lambda: _said(answers, 503), 30)
    for name in NAMES:
        status, unwell = await readiness(started.url(name))
        assert (status, "database" in unwell) == (503, True), name
    await asyncio.to_thread(started.servers.own_postgres.restart)
    await until_ready(started)
    before = len(answers)
    await until(lambda: _said(answers[before:], 200), 30)
    stop.set()
    await asking
    assert not [fault for name in NAMES for fault in _faults(started, name)]
    assert set(answers) <= {(200, ""), (201, ""), (503, "database.unavailable")}
    sessions += await world.log(20, start=20)
    await until_exact(started, breakable, holds(sessions))


def _faults(running: System, name: str) -> list[Any]:
    """What a service could not explain: a traceback, or an answer of 500."""
    return [
        line.get("exception", [{"exc_type": line["event"]}])
        for line in running.log(name)
        if not line["logger"].startswith("aiokafka") and line["level"] in ("error", "critical")
    ]


def _requests(running: System, world: World) -> list[tuple[str, str, Any]]:
    return [
        ("GET", f"{running.url('registry')}/organizations/{world.school}", None),
        ("GET", f"{running.url('activity')}/mentorships/{world.pairs[0][0]}", None),
        ("GET", f"{running.url('metrics')}/units/{world.school}/card", None),
        ("POST", f"{running.url('activity')}/sessions", world.meeting(0)),
    ]


async def _said(answers: list[tuple[int, str]], status: int) -> bool:
    return any(found == status for found, _ in answers)


async def test_two_replicas_of_metrics_and_one_is_killed(
    started: System, breakable: Api, world: World
) -> None:
    spare, url = started.spare("metrics")
    try:
        await until(lambda: _well(url))
        sessions = await world.log(240)
        work = asyncio.create_task(world.log(240, start=240))
        await asyncio.sleep(0.2)
        started.kill("metrics")
        sessions += await work
        async with httpx.AsyncClient(
            base_url=url, timeout=30, trust_env=False, headers=tokens.allowed()
        ) as other:
            await until(lambda: _figure_is(other, world.school, (10, 11)))
        await asyncio.to_thread(started.restart, "metrics")
        await until_exact(started, breakable, holds(sessions))
    finally:
        spare.stop()
    sessions += await world.log(60, start=480)
    await until_exact(started, breakable, holds(sessions))


async def _well(url: str) -> bool:
    return await readiness(url) == (200, {})


async def _figure_is(metrics: httpx.AsyncClient, unit: str, wanted: tuple[int, int]) -> bool:
    return await figure(metrics, unit) == wanted


@pytest.mark.parametrize("victim", NAMES)
async def test_asked_to_end_it_ends(started: System, world: World, victim: str) -> None:
    """Promptly and with code 0, though clients hold connections and listen to the stream."""
    child = started.child(victim)
    async with httpx.AsyncClient(
        base_url=started.url(victim), trust_env=False, headers=tokens.allowed()
    ) as client:
        path = "/stream" if victim == "metrics" else "/healthz"
        async with client.stream("GET", path) as answer:
            assert answer.status_code == 200
            chunks = answer.aiter_bytes()  # kept: a generator that is dropped closes the stream
            assert await anext(chunks)
            began = time.monotonic()
            psutil.Process(child.pid).send_signal(signal.SIGTERM)
            code = await asyncio.to_thread(child.wait, 30)
            took = time.monotonic() - began
    started.stop(victim)
    await asyncio.to_thread(started.start, victim)
    assert (code, took < 10) == (0, True), (code, took)
