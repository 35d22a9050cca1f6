"""Processes that die between two steps of which both or none should be done."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable

import asyncpg
from sqlalchemy.engine import make_url

from nastavnik_local.scenario_api import Api
from tests.faults.conftest import Told
from tests.faults.wired import WiredSystem
from tests.system.helpers import World, until, until_exact, until_figures, until_ready


async def ask(system: WiredSystem, database: str, query: str) -> int:
    url = make_url(system.servers.postgres.dsn(database))
    connection = await asyncpg.connect(
        host=str(url.query["host"]), user=url.username, database=database
    )
    try:
        return int(await connection.fetchval(query) or 0)
    finally:
        await connection.close()


async def death(system: WiredSystem, who: str, service: str) -> None:
    """Run it until it has killed itself, on the service's database and in its group."""
    env = system.environment(service)
    argv = [sys.executable, "-m", "tests.faults.dying", who]
    child = system.servers.keeper.start(f"dying-{who}", argv, env=env)
    code = await asyncio.to_thread(child.wait, 60)
    assert code == -signal.SIGKILL, child.log_tail()


async def test_a_relay_that_dies_between_publishing_and_marking(
    broken: WiredSystem, api: Api, world: World, told: Told
) -> None:
    """All is published again, in order; nothing is counted twice."""
    sessions = await world.log(20)
    await until_figures(api, world.units, (10, 11))
    before = await ask(broken, "metrics", "select sum(superseded) from stream_position")
    for name in ("activity", "activity-2"):
        broken.wires[name, "kafka"].cut()
    sessions += await world.log(20, start=20)
    await api.send("activity", "PATCH", f"/sessions/{sessions[-1]}", {"technology": "project"})
    await api.send("activity", "POST", f"/sessions/{sessions[-1]}:void", {})
    for name in ("activity", "activity-2"):
        broken.kill(name)
    count = "select count(*) from outbox"
    waiting = await ask(broken, "activity", count)
    assert waiting == 22
    await death(broken, "relay", "activity")
    assert await ask(broken, "activity", count) == waiting
    began = time.monotonic()
    broken.heal()
    await asyncio.to_thread(broken.start, "activity", "activity-2")
    log = await until_exact(broken, api, lambda log: log.sessions.keys() >= set(sessions))
    told("relay killed between publishing and marking", time.monotonic() - began)
    assert log.sessions[sessions[-1]].status == "voided"

    async def all_superseded() -> bool:
        now = await ask(broken, "metrics", "select sum(superseded) from stream_position")
        return now - before >= waiting

    await until(all_superseded)
    assert await ask(broken, "activity", count) == 0


async def test_a_projector_that_dies_around_its_commit(
    broken: WiredSystem, api: Api, world: World, told: Told
) -> None:
    """Before it, none of the batch is done; after it, all is, and nobody has been told."""
    for name in ("metrics", "metrics-2"):
        broken.kill(name)
    sessions: list[str] = []
    offsets = "select sum(next_offset) from stream_position"
    for moment in ("before", "after"):
        sessions += await world.log(20, start=len(sessions))
        await until(_outbox_is_empty(broken))
        before = await ask(broken, "metrics", offsets)
        await death(broken, f"projector-{moment}-commit", "metrics")
        moved = await ask(broken, "metrics", offsets) - before
        assert bool(moved) == (moment == "after")
    began = time.monotonic()
    await asyncio.to_thread(broken.start, "metrics", "metrics-2")
    await until_figures(api, world.units, (10, 11))
    told("projector killed around its commit", time.monotonic() - began)
    await until_exact(broken, api, lambda log: log.sessions.keys() >= set(sessions))


def _outbox_is_empty(system: WiredSystem) -> Callable[[], asyncio.Future[bool]]:
    async def empty() -> bool:
        return await ask(system, "activity", "select count(*) from outbox") == 0

    return lambda: asyncio.ensure_future(empty())


async def test_all_backends_of_the_database_are_terminated_under_load(
    broken: WiredSystem, api: Api, world: World, told: Told
) -> None:
    work = asyncio.create_task(world.log(400))
    for _ in range(3):
        await asyncio.sleep(0.2)
        await ask(
            broken,
            "postgres",
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where application_name = 'nastavnik'",
        )
    began = time.monotonic()
    sessions = await work
    await until_ready(broken, *broken.replicas)
    await until_figures(api, world.units, (10, 11))
    told("backends terminated", time.monotonic() - began)
    await until_exact(broken, api, lambda log: log.sessions.keys() >= set(sessions))
