"""The network between a service and a server goes away in the middle of load, in every way."""

import asyncio
import time

import pytest

from nastavnik_local.scenario_api import Api
from tests.faults.conftest import Told
from tests.faults.wired import WiredSystem
from tests.system.helpers import World, readiness, until, until_exact, until_figures, until_ready


@pytest.mark.parametrize(
    ("server", "how"),
    [
        ("kafka", "cut"),
        ("kafka", "up"),
        ("kafka", "lose"),
        ("postgres", "down"),
        ("postgres", "lose"),
    ],
)
async def test_a_partition_in_the_middle_of_load(
    broken: WiredSystem, api: Api, world: World, told: Told, server: str, how: str
) -> None:
    """Between every replica and the server at once. `up`: nothing reaches the server; `down`: no
    answer comes back; `lose`: half-open, the old connections never say another word."""
    wires = [broken.wires[name, server] for name in broken.replicas]
    work = asyncio.create_task(world.log(200))
    await asyncio.sleep(0.2)
    for wire in wires:
        if how in ("up", "down"):
            wire.silence(how)
        else:
            getattr(wire, how)()
    if how != "lose":
        await until(lambda: _all_unready(broken))
    began = time.monotonic()
    broken.heal()
    sessions = await work
    await world.person()
    await until_ready(broken, *broken.replicas)
    await until_figures(api, world.units, (10, 12))
    told(f"{server} {how}", time.monotonic() - began)
    await until_exact(broken, api, lambda log: log.sessions.keys() >= set(sessions))


async def _all_unready(broken: WiredSystem) -> bool:
    found = await asyncio.gather(*(readiness(broken.url(name)) for name in broken.replicas))
    return all(status == 503 for status, _ in found)


@pytest.mark.parametrize("name", ["activity", "metrics"])
async def test_a_consumer_says_that_its_broker_is_away(
    broken: WiredSystem, world: World, name: str
) -> None:
    """Its own check, not only the relay's beside it: it keeps its assignment all the while."""
    broken.wires[name, "kafka"].cut()
    seen: dict[str, object] = {}

    async def said() -> bool:
        status, unwell = await readiness(broken.url(name))
        seen[name] = unwell
        return status == 503 and "consumer" in unwell

    await until(said, 10, lambda: seen)
    broken.heal()
    await until_ready(broken, *broken.replicas)
