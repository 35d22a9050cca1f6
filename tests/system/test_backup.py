"""Backup while sessions are logged, restore into a new server, and the figures afterwards.

The log is then ahead of every database: the projector catches up, and the sources lift their
versions above what they had published. With PostgreSQL's own programs, as the scripts use them.
"""

import asyncio
import dataclasses
import os
import re
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from nastavnik_local.keeper import Keeper
from nastavnik_local.postgres import LocalPostgres
from nastavnik_local.postgres_home import programs
from nastavnik_local.recount_log import Log
from nastavnik_local.scenario_api import Api
from tests.system.helpers import Json, System, World, system, until_exact

pytestmark = pytest.mark.drill

SCRIPTS = Path(__file__).resolve().parents[2] / "deploy" / "backup"
SOURCES = ("registry", "activity")


@pytest.fixture(scope="module")
def running() -> Iterator[System]:
    with tempfile.TemporaryDirectory(prefix="nastavnik-") as root, system(Path(root)) as made:
        if made.servers.kafka.flavour != "apache":
            pytest.skip("needs an Apache Kafka of our own")
        made.start()
        yield made


@pytest.fixture
async def api(running: System) -> AsyncIterator[Api]:
    async with Api.connect(running.urls) as connected:
        yield connected


@pytest.fixture
def fresh() -> Iterator[LocalPostgres]:
    with (
        tempfile.TemporaryDirectory(prefix="nastavnik-") as root,
        Keeper.open(Path(root)) as keeper,
    ):
        made = LocalPostgres(keeper, fsync=False)
        made.launch()
        made.wait_ready()
        yield made


def script(name: str, where: Path, server: LocalPostgres) -> str:
    host = httpx.URL(server.dsn("postgres")).params["host"]
    env = {"PATH": f"{programs()}:{os.environ['PATH']}", "PGHOST": host, "PGUSER": "postgres"}
    done = subprocess.run(
        [SCRIPTS / name, where], env=env, check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


async def test_a_backup_made_under_load_is_restored_to_equal_figures(
    running: System, api: Api, fresh: LocalPostgres, tmp_path: Path
) -> None:
    world = await World(api).build(pupils=6, pairs=3)
    [early, *_] = await world.log(30)
    load = asyncio.create_task(world.log(200, start=30))
    await asyncio.sleep(0.2)
    made = await asyncio.to_thread(script, "backup.sh", tmp_path, running.servers.own_postgres)
    during = await load
    late = await world.log(3, start=230)
    nobody = [{"participant_id": person, "attended": False} for person in world.pairs[0][1:]]
    corrected = await correct(api, early, {"attendance": nobody})
    assert corrected["version"] == 2
    await until_exact(running, api, lambda log: holds(log, [early, *during, *late]))

    await asyncio.to_thread(running.stop)
    script("restore.sh", Path(made), fresh)
    running.servers = dataclasses.replace(running.servers, postgres=fresh)
    said = {name: running.run(name, "recover") for name in SOURCES}
    only_in_log = set(re.findall(r"only in the log: (\S+)", said["activity"]))
    assert only_in_log >= set(late)
    assert only_in_log <= {*during, *late}
    await asyncio.to_thread(running.start)
    for name in SOURCES:
        await api.send(name, "POST", "/admin/republish", {})

    # what the database still has is the truth again, of a version that nobody has seen
    restored = (await api.get("activity", f"/sessions/{early}")).body
    assert restored["version"] == 3
    assert {a["attended"] for a in restored["attendance"]} != {False}
    await until_exact(running, api, lambda log: attended(log, early))
    again = await correct(api, early, {"attendance": nobody})
    assert again["version"] == 4
    log = await until_exact(running, api, lambda found: not attended(found, early))
    assert holds(log, [early, *during, *late])


async def correct(api: Api, ident: str, change: Json) -> Json:
    return (await api.send("activity", "PATCH", f"/sessions/{ident}", change)).body


def holds(log: Log, idents: list[str]) -> bool:
    return set(idents) <= log.sessions.keys()


def attended(log: Log, ident: str) -> bool:
    return bool(log.sessions[ident].attended)


def test_nothing_is_restored_over_what_is_there(fresh: LocalPostgres, tmp_path: Path) -> None:
    host = httpx.URL(fresh.dsn("postgres")).params["host"]
    env = {"PATH": f"{programs()}:{os.environ['PATH']}", "PGHOST": host, "PGUSER": "postgres"}
    psql = [str(programs() / "psql"), "--dbname=metrics", "--command=create table one (id int)"]
    subprocess.run(psql, env=env, check=True, capture_output=True)
    done = subprocess.run(
        [SCRIPTS / "restore.sh", tmp_path], env=env, check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "metrics is not empty" in done.stderr
