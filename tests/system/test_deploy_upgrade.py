"""An upgrade of metrics that empties its derived tables, while sessions are being logged.

Stopped, taken back to the tables of the release before, migrated, started: figures are exact again
without the log being read from its start. On the running system, which is left as it was found.
"""

import asyncio
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

import nastavnik_metrics
from nastavnik_common import db
from nastavnik_local.scenario_api import Api
from tests.system.helpers import System, World, until_exact

pytestmark = pytest.mark.drill

BEFORE = "0004a"


async def test_nothing_is_lost_while_derived_tables_are_made_anew(
    running: System, api: Api
) -> None:
    world = await World(api).build(pupils=8, pairs=4)
    sent = await world.log(40)
    await until_exact(running, api, lambda log: set(sent) <= log.sessions.keys())
    load = asyncio.create_task(world.log(200, start=40))
    await asyncio.to_thread(running.stop, "metrics")
    read_before = await _positions(running)
    await asyncio.to_thread(_take_back, running.servers.postgres.dsn("metrics"))
    assert await _one(running, "select count(*) from cell") == 0
    await asyncio.to_thread(running.run, "metrics", "migrate")
    await asyncio.to_thread(running.start, "metrics")
    sent += await load
    await until_exact(running, api, lambda log: set(sent) <= log.sessions.keys())
    audited = (await api.client("metrics").post("/admin/audit")).json()
    assert audited["drift"] == 0, audited
    read_now = await _positions(running)
    assert read_now - read_before < len(sent) + 100, "the log was read from its start"


def _take_back(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", "nastavnik_metrics:migrations")
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.downgrade(config, BEFORE)


async def _positions(running: System) -> int:
    """Records of sessions that were folded or found known already."""
    counted = "select sum(applied + superseded) from stream_position"
    return int(await _one(running, f"{counted} where topic = 'nastavnik.sessions'"))


async def _one(running: System, query: str) -> int:
    connection = await db.connect(running.servers.postgres.dsn("metrics"))
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()


def test_every_migration_can_be_taken_back() -> None:
    """What an operator may need before the contraction of a later release."""
    versions = Path(nastavnik_metrics.__file__).parents[1]
    found = sorted(versions.parent.glob("*/nastavnik_*/migrations/versions/0*.py"))
    assert len(found) > 10
    missing = [path.name for path in found if "def downgrade()" not in path.read_text()]
    if missing:
        pytest.fail(f"no downgrade: {missing}")
