"""A rolling restart under load, as an orchestrator does it: nothing is lost, nothing counted twice.

New processes start beside the old ones; once they are ready the old ones get SIGTERM. Clients know
both, and repeat with the same Idempotency-Key what was not answered. On the running system, which
is left as it was found.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from nastavnik_local.processes import Child
from nastavnik_local.scenario_api import Api
from tests.system.helpers import NAMES, Json, System, World, readiness, until, until_exact

pytestmark = pytest.mark.drill

AGAIN = (429, 502, 503, 504)
SECONDS_TO_END = 10
BAD = ("error", "critical")


class Clients:
    """Two clients who log sessions without choosing ids, at whichever process answers."""

    def __init__(self, world: World, api: Api, urls: list[str]) -> None:
        self.world = world
        self.urls = urls
        self.answers: list[Json] = []
        self.repeated = 0
        self._headers = api.client("activity").headers
        self._stop = asyncio.Event()
        self._number = 0

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(self._work())
            try:
                yield
            finally:
                self._stop.set()

    async def _work(self) -> None:
        async with httpx.AsyncClient(timeout=20, trust_env=False, headers=self._headers) as client:
            while not self._stop.is_set() and self._number < 800:
                self._number += 1
                body = self.world.meeting(self._number)
                del body["id"]
                self.answers.append(await self._log(client, body))
                await asyncio.sleep(0.02)  # the others want the processors, too

    async def _log(self, client: httpx.AsyncClient, body: Json) -> Json:
        key = {"idempotency-key": str(uuid4())}
        for attempt in range(1000):
            url = self.urls[attempt % len(self.urls)]
            with contextlib.suppress(httpx.TransportError):
                sent = await client.post(f"{url}/sessions", json=body, headers=key)
                if sent.status_code not in AGAIN:
                    assert sent.status_code in (200, 201), sent.text
                    answer: Json = sent.json()
                    return answer
            self.repeated += 1
            await asyncio.sleep(0.02)
        pytest.fail("nobody answers")


async def test_a_rolling_restart_loses_nothing_and_doubles_nothing(
    running: System, api: Api
) -> None:
    world = await World(api).build(pupils=8, pairs=4)
    logged = {name: len(running.log(name)) for name in NAMES}
    clients = Clients(world, api, [running.url("activity")])
    spares: dict[str, tuple[Child, str]] = {}
    async with clients.at_work():
        spares |= {name: running.spare(name) for name in NAMES}
        for name in NAMES:
            await _until_ready(running, f"{name}-spare", spares[name][1])
        clients.urls.append(spares["activity"][1])
        old = {name: running.child(name) for name in NAMES}
        await asyncio.gather(*(_ends_well(child) for child in old.values()))
        await asyncio.to_thread(running.start)
        before = len(clients.answers)
        await asyncio.gather(*(_ends_well(child) for child, _ in spares.values()))
        await until(lambda: _more(clients, before))
    idents = [answer["id"] for answer in clients.answers]
    assert len(idents) == len(set(idents))
    mine = {mentorship for mentorship, *_ in world.pairs}
    log = await until_exact(running, api, lambda found: set(idents) <= found.sessions.keys())
    assert {i for i, s in log.sessions.items() if s.mentorship in mine} == set(idents)
    for name in NAMES:
        said = running.log(name)[logged[name] :] + running.log(f"{name}-spare")
        assert not [line for line in said if _bad(line)], name


async def _until_ready(running: System, log: str, url: str) -> None:
    async def ready() -> bool:
        return await readiness(url) == (200, {})

    await until(ready, 90, saw=lambda: running.log(log)[-5:])


async def _more(clients: Clients, before: int) -> bool:
    return len(clients.answers) > before


async def _ends_well(child: Child) -> None:
    """SIGTERM, and it ends by itself in time, with 0."""
    began = asyncio.get_running_loop().time()
    await asyncio.to_thread(child.stop)
    assert child.exit_code == 0, child.log_tail()
    assert asyncio.get_running_loop().time() - began < SECONDS_TO_END


def _bad(line: dict[str, Any]) -> bool:
    return line.get("level") in BAD
