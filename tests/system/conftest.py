"""A running system for the tests that look at it; those that break one are in tests/faults.

It has a Kafka of its own: the one of the other tests holds what they wrote by hand, poison
included, and their consumers are in the same groups.
"""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from nastavnik_local.scenario_api import Api
from tests.system.helpers import System, system


@pytest.fixture(scope="session")
def running() -> Iterator[System]:
    """Registry, activity and metrics, up and ready. Leave it as you found it."""
    with tempfile.TemporaryDirectory(prefix="nastavnik-") as root, system(Path(root)) as made:
        made.start()
        yield made


@pytest.fixture
async def api(running: System) -> AsyncIterator[Api]:
    async with Api.connect(running.urls) as connected:
        yield connected
