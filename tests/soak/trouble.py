"""What can go wrong, in an order that a seed decides."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import asyncpg
import httpx
from sqlalchemy.engine import make_url

from tests import tokens
from tests.faults.wired import SERVERS, WiredSystem

_ON_WIRES = ("cut", "silence", "silence-up", "silence-down", "lose", "delay")
# how often each is chosen
_KINDS = {"kill": 6, "wire": 8, "pause": 4, "terminate": 2, "rebuild": 2}


@dataclass(frozen=True)
class Fault:
    """`seconds` from the beginning to the mending."""

    kind: str
    target: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.kind} {self.target} {self.seconds:.1f} s"


def plan(seed: int, replicas: Sequence[str], longest: float = 10.0) -> Iterator[Fault]:
    """Without end, and the same for the same seed."""
    chance = random.Random(seed)
    while True:
        (kind,) = chance.choices(list(_KINDS), list(_KINDS.values()))
        target = chance.choice([*replicas, *SERVERS])
        if kind == "wire":
            kind = chance.choice(_ON_WIRES)
            target = f"{chance.choice(list(replicas))}/{chance.choice(SERVERS)}"
        elif kind == "terminate":
            target = "postgres"
        elif kind == "rebuild":
            target = "metrics"
        yield Fault(kind, target, chance.uniform(0.5, longest))


async def strike(system: WiredSystem, fault: Fault) -> None:
    """Begin it."""
    if fault.kind in ("kill", "pause"):
        await asyncio.to_thread(_hit, system, fault)
    elif fault.kind == "terminate":
        await _terminate(system)
    elif fault.kind == "rebuild":
        async with httpx.AsyncClient(
            trust_env=False, headers=tokens.allowed(), timeout=30
        ) as client:
            (await client.post(f"{system.url(fault.target)}/admin/rebuild")).raise_for_status()
    else:
        name, server = fault.target.split("/")
        wire = system.wires[name, server]
        what, _, way = fault.kind.partition("-")
        if what == "delay":
            wire.delay(0.3)
        else:
            getattr(wire, what)(*([way] if way else []))


def _hit(system: WiredSystem, fault: Fault) -> None:
    if fault.target in SERVERS:
        server = getattr(system.servers, f"own_{fault.target}")
        getattr(server, fault.kind)()
    elif fault.kind == "kill":
        system.kill(fault.target)
    else:
        system.child(fault.target).pause()


async def mend(system: WiredSystem, fault: Fault) -> None:
    """What an orchestrator does: start again what has died. And what time does: the network comes
    back, what hung goes on."""
    system.heal()
    if fault.kind == "kill":
        if fault.target in SERVERS:
            await asyncio.to_thread(getattr(system.servers, f"own_{fault.target}").restart)
        else:
            await asyncio.to_thread(system.restart, fault.target)
    elif fault.kind == "pause":
        hung = (
            getattr(system.servers, f"own_{fault.target}")
            if fault.target in SERVERS
            else system.child(fault.target)
        )
        hung.resume()


async def _terminate(system: WiredSystem) -> None:
    url = make_url(system.servers.postgres.dsn("postgres"))
    connection = await asyncpg.connect(
        host=str(url.query["host"]), user=url.username, database="postgres"
    )
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name='nastavnik'"
    )
    await connection.close()
