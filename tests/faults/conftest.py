"""One wired system for all tests here; whoever breaks it mends it again. How long each took to
come back stands at the end of pytest's report: it is told, not judged."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nastavnik_local.brokers import KafkaError
from nastavnik_local.kafka import EXTERNAL as EXTERNAL_KAFKA
from nastavnik_local.kafka import REQUIRE_APACHE
from nastavnik_local.postgres import EXTERNAL as EXTERNAL_POSTGRES
from nastavnik_local.scenario_api import Api
from tests.faults.wired import WiredSystem, wired
from tests.system.helpers import World, readiness, until_figures

RECOVERY = "seconds to recover"
CONCERNED = {"registry": "kafka", "activity": "kafka", "metrics": "relay"}
Told = Callable[[str, float], None]


@pytest.fixture(scope="session")
def broken() -> Iterator[WiredSystem]:
    """Two replicas of metrics and of activity, one of the registry; up and ready, though they were
    started before their broker was there."""
    required = os.environ.get(REQUIRE_APACHE, "") not in ("", "0")
    if named := {EXTERNAL_KAFKA, EXTERNAL_POSTGRES} & os.environ.keys():
        pytest.skip(f"needs servers of its own, and {min(named)} names another")
    with contextlib.ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nastavnik-")))
        root.chmod(0o755)  # a tablespace in it is PostgreSQL's user's
        try:
            system = stack.enter_context(wired(root))
        except KafkaError as error:
            if required:
                raise
            pytest.skip(f"only Apache Kafka can be reached through proxies: {error}")
        for name in system.replicas:
            system.wires[name, "kafka"].cut()
        system.start(ready_path="/healthz")
        for name in system.replicas:
            status, unwell = asyncio.run(readiness(system.url(name)))
            assert status == 503, name
            assert CONCERNED[name.split("-", maxsplit=1)[0]] in unwell, name
        system.heal()
        system.wait_ready()
        yield system


@pytest.fixture
async def api(broken: WiredSystem) -> AsyncIterator[Api]:
    async with Api.connect(broken.urls) as connected:
        yield connected


@pytest.fixture
async def world(broken: WiredSystem, api: Api) -> AsyncIterator[World]:
    """Eleven pupils, five pairs; in the end the figures are those of a recount."""
    made = await World(api).build(pupils=11, pairs=5)
    await until_figures(api, made.units, (0, 11))
    yield made
    broken.heal()


@pytest.fixture
def told(record_property: Callable[[str, object], None]) -> Told:
    return lambda what, seconds: record_property(RECOVERY, f"{what}: {seconds:.1f}")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    lines = [
        str(value)
        for report in terminalreporter.stats.get("passed", [])
        for name, value in getattr(report, "user_properties", ())
        if name == RECOVERY
    ]
    if lines:
        terminalreporter.section(RECOVERY)
        terminalreporter.write_line("\n".join(lines))
