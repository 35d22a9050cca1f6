"""One soak: load, faults one after another, and the verdict."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from nastavnik_local.scenario_api import Api, Urls
from tests.faults.wired import WiredSystem
from tests.soak.load import Told, Worker
from tests.soak.trouble import Fault, mend, strike
from tests.soak.verdict import Probe, judge

Say = Callable[[str], None]


@dataclass
class Outcome:
    """Faults with the seconds from mending until all is ready and counts again."""

    recovered: list[tuple[Fault, float]] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    verdict: dict[str, Any] = field(default_factory=dict)


async def soak(
    system: WiredSystem,
    faults: Iterable[Fault],
    *,
    seconds: float,
    workers: int,
    seed: int,
    pause: float,
    say: Say,
) -> Outcome:
    """AssertionError when something does not come back by itself, or is not exact in the end.

    Faults until `seconds` have passed, with at most `pause` seconds of calm between them.
    """
    outcome, told = Outcome(), Told()
    async with Api.connect(system.urls) as api, _load(system, workers, seed, told) as load:
        probe = Probe(system, api)
        await probe.begin()
        end = time.monotonic() + seconds
        chance = random.Random(seed)
        for fault in faults:
            outcome.recovered.append((fault, await _suffer(system, fault, probe)))
            left = max(end - time.monotonic(), 0)
            done = sum((worker.done for worker in load), Counter())
            say(
                f"{left:5.0f} s left; {sum(done.values())} requests;"
                f" {fault}: back in {outcome.recovered[-1][1]:.1f} s"
            )
            if not left:
                break
            await asyncio.sleep(chance.uniform(0, pause))
    outcome.done = sum((worker.done for worker in load), Counter())
    say("load has stopped; checking")
    async with Api.connect(system.urls) as api:
        outcome.verdict = await judge(system, api, told)
    return outcome


@contextlib.asynccontextmanager
async def _load(
    system: WiredSystem, workers: int, seed: int, told: Told
) -> AsyncIterator[list[Worker]]:
    """Workers at it while the block lasts, each at replicas of its own; what it has begun it
    finishes. One that fails fails the block."""
    stop = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        made = []
        for number in range(workers):
            api = await stack.enter_async_context(Api.connect(_urls(system, number)))
            made.append(Worker(api, random.Random(f"{seed} {number}"), told))
        async with asyncio.TaskGroup() as group:
            for worker in made:
                group.create_task(worker.work(stop))
            try:
                yield made
            finally:
                stop.set()


def _urls(system: WiredSystem, number: int) -> Urls:
    def at(service: str) -> str:
        replicas = [r for r in system.replicas if r.split("-")[0] == service]
        return system.url(replicas[number % len(replicas)])

    return Urls(at("registry"), at("activity"), at("metrics"))


async def _suffer(system: WiredSystem, fault: Fault, probe: Probe) -> float:
    await strike(system, fault)
    await asyncio.sleep(fault.seconds)
    began = time.monotonic()
    await mend(system, fault)
    try:
        await probe.come_back()
    except AssertionError as error:
        raise AssertionError(f"after {fault}: {error}") from error
    return time.monotonic() - began
