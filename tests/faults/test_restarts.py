"""Services that are killed or asked to end while they work, and a database that is killed."""

import asyncio
import signal
import time
from typing import Any

import httpx
import psutil

from nastavnik_local.recount_log import Log
from nastavnik_local.scenario_api import Api
from tests import tokens
from tests.faults.conftest import Told
from tests.faults.wired import WiredSystem
from tests.system.helpers import NAMES, World, figure, readiness, until, until_exact, until_ready


async def test_every_service_is_killed_in_the_middle(
    broken: WiredSystem, api: Api, world: World, told: Told
) -> None:
    """Sessions flow in, some are corrected and voided; the clients try again as they should. The
    other replica of metrics takes over what one has left."""
    work = asyncio.create_task(_stream(world, api))
    for victim in ("metrics", "activity", "registry"):
        await asyncio.sleep(0.2)
        broken.kill(victim)
    began = time.monotonic()
    await asyncio.to_thread(broken.start, "activity", "registry")
    sessions, voided = await asyncio.wait_for(work, 90)
    wanted = (2 * len(world.pairs), len(world.people))
    async with _client(broken.url("metrics-2")) as other:
        await until(lambda: _figure_is(other, world.school, wanted))
    told("every service killed", time.monotonic() - began)
    await asyncio.to_thread(broken.start, "metrics")

    def complete(log: Log) -> bool:
        mine = {i: log.sessions.get(i) for i in sessions}
        found = {i for i, s in mine.items() if s is not None and s.status == "voided"}
        return all(mine.values()) and found == voided

    log = await until_exact(broken, api, complete)
    pairs = {mentorship for mentorship, *_ in world.pairs}
    assert sum(s.mentorship in pairs for s in log.sessions.values()) == len(sessions)
    listed = 0
    for mentorship in pairs:
        query = {"mentorship_id": mentorship, "limit": "1000"}
        listed += len((await api.get("activity", "/sessions", **query)).body["items"])
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


async def _figure_is(metrics: httpx.AsyncClient, unit: str, wanted: tuple[int, int]) -> bool:
    return await figure(metrics, unit) == wanted


def _client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=30, trust_env=False, headers=tokens.allowed())


async def test_without_postgres_the_answer_says_so(
    broken: WiredSystem, api: Api, world: World
) -> None:
    sessions = await world.log(20)
    logged = {name: len(broken.log(name)) for name in NAMES}
    answers: list[tuple[int, str]] = []
    stop = asyncio.Event()

    async def ask() -> None:
        """All the time, so that the moments of dying and of starting are among it."""
        async with _client("") as client:
            while not stop.is_set():
                for method, url, body in _requests(broken, world):
                    answer = await client.request(method, url, json=body)
                    code = "" if answer.is_success else answer.json()["code"]
                    answers.append((answer.status_code, code))

    asking = asyncio.create_task(ask())
    await asyncio.sleep(0.3)
    await asyncio.to_thread(broken.servers.own_postgres.kill)
    await until(lambda: _said(answers, 503), 30)
    for name in NAMES:
        status, unwell = await readiness(broken.url(name))
        assert (status, "database" in unwell) == (503, True), name
    await asyncio.to_thread(broken.servers.own_postgres.restart)
    await until_ready(broken, *broken.replicas)
    before = len(answers)
    await until(lambda: _said(answers[before:], 200), 30)
    stop.set()
    await asking
    assert not [fault for name in NAMES for fault in _faults(broken.log(name)[logged[name] :])]
    assert set(answers) <= {(200, ""), (201, ""), (503, "database.unavailable")}
    sessions += await world.log(20, start=20)
    await until_exact(broken, api, lambda log: log.sessions.keys() >= set(sessions))


def _faults(lines: list[dict[str, Any]]) -> list[Any]:
    """What a service could not explain: a traceback, or an answer of 500."""
    return [
        (line["logger"], line["event"], [e["exc_type"] for e in line.get("exception", ())])
        for line in lines
        if not line["logger"].startswith("aiokafka") and line["level"] in ("error", "critical")
    ]


def _requests(running: WiredSystem, world: World) -> list[tuple[str, str, Any]]:
    return [
        ("GET", f"{running.url('registry')}/organizations/{world.school}", None),
        ("GET", f"{running.url('activity')}/mentorships/{world.pairs[0][0]}", None),
        ("GET", f"{running.url('metrics')}/units/{world.school}/card", None),
        ("POST", f"{running.url('activity')}/sessions", world.meeting(0)),
    ]


async def _said(answers: list[tuple[int, str]], status: int) -> bool:
    return any(found == status for found, _ in answers)


async def test_asked_to_end_it_ends(broken: WiredSystem, world: World) -> None:
    """With code 0, though clients hold connections and listen to the stream."""
    victims = ("registry", "activity-2", "metrics-2")
    codes = await asyncio.gather(*(_end(broken, victim) for victim in victims))
    for victim in victims:
        broken.stop(victim)
    await asyncio.to_thread(broken.start, *victims)
    assert codes == [0, 0, 0]


async def _end(broken: WiredSystem, victim: str) -> int:
    child = broken.child(victim)
    async with _client(broken.url(victim)) as client:
        path = "/stream" if victim.startswith("metrics") else "/healthz"
        async with client.stream("GET", path) as answer:
            assert answer.status_code == 200
            chunks = answer.aiter_bytes()  # kept: a generator that is dropped closes the stream
            assert await anext(chunks)
            psutil.Process(child.pid).send_signal(signal.SIGTERM)
            return await asyncio.to_thread(child.wait, 30)
