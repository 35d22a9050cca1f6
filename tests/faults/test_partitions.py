"""The network between a service and a server goes away in the middle of load, in every way."""

import asyncio
import time
from collections.abc import Mapping

import pytest

from nastavnik_local.scenario_api import Api
from tests.faults.conftest import Told
from tests.faults.wired import SERVERS, WiredSystem
from tests.system.helpers import (
    World,
    figure,
    readiness,
    until,
    until_exact,
    until_figures,
    until_ready,
)

# a consumer's own check, not only the relay's beside it: it keeps its assignment all the while
UNWELL = {
    "cut": {"registry": "kafka", "activity": "consumer", "metrics": "consumer"},
    "up": {},
    "down": dict.fromkeys(("registry", "activity", "metrics"), "database"),
}


@pytest.mark.parametrize(
    ("server", "how"), [("kafka", "cut"), ("kafka", "up"), ("postgres", "down")]
)
async def test_a_partition_in_the_middle_of_load(
    broken: WiredSystem, api: Api, world: World, told: Told, server: str, how: str
) -> None:
    """Between every replica and the server at once. `up`: nothing reaches the server; `down`: no
    answer comes back. Without Kafka writes go on, and arrive later."""
    wires = [broken.wires[name, server] for name in broken.replicas]
    work = asyncio.create_task(world.log(200))
    await asyncio.sleep(0.2)
    for wire in wires:
        wire.cut() if how == "cut" else wire.silence(how)
    seen: dict[str, tuple[int, Mapping[str, str]]] = {}
    await until(lambda: _all_unready(broken, UNWELL[how], seen), saw=lambda: seen)
    if server == "kafka":
        await work
        await world.person()
        assert await figure(api.client("metrics"), world.school) == (10, 11)
    await _whole_again(broken, api, world, work, told, f"{server} {how}")


async def test_half_open_connections_in_the_middle_of_load(
    broken: WiredSystem, api: Api, world: World, told: Told
) -> None:
    """The old connections to both servers never say another word."""
    work = asyncio.create_task(world.log(200))
    await asyncio.sleep(0.2)
    for name in broken.replicas:
        for server in SERVERS:
            broken.wires[name, server].lose()
    await _whole_again(broken, api, world, work, told, "lose")


async def _all_unready(
    broken: WiredSystem,
    wanted: Mapping[str, str],
    seen: dict[str, tuple[int, Mapping[str, str]]],
) -> bool:
    found = await asyncio.gather(*(readiness(broken.url(name)) for name in broken.replicas))
    seen.update(zip(broken.replicas, found, strict=True))
    parts = [wanted.get(name.split("-", maxsplit=1)[0]) for name in broken.replicas]
    return all(
        status == 503 and (part is None or part in unwell)
        for (status, unwell), part in zip(found, parts, strict=True)
    )


async def _whole_again(
    broken: WiredSystem,
    api: Api,
    world: World,
    work: "asyncio.Task[list[str]]",
    told: Told,
    what: str,
) -> None:
    began = time.monotonic()
    broken.heal()
    sessions = await work
    await world.person()
    await until_ready(broken, *broken.replicas)
    await until_figures(api, world.units, (10, len(world.people)))
    told(what, time.monotonic() - began)
    await until_exact(broken, api, lambda log: log.sessions.keys() >= set(sessions))
