"""The database runs out of space: writes are refused clearly, and go on when there is space again.

The tables of the activity service are put on a small file system of their own. The write-ahead log
is not: PostgreSQL stops when that cannot be written, which is the same as a crash of it.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from sqlalchemy.engine import make_url

from nastavnik_local.postgres_home import unprivileged
from nastavnik_local.scenario_api import Api
from tests import tokens
from tests.faults.conftest import Told
from tests.faults.wired import WiredSystem
from tests.system.helpers import World, until_exact, until_ready

_MOVED = ("session", "outbox")


@pytest.fixture
def small(broken: WiredSystem) -> Iterator[Path]:
    """16 MB that belong to PostgreSQL's user."""
    where = broken.servers.keeper.root / "small"
    where.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "tmpfs", str(where)]
    if os.getuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no small file system can be mounted here: not root, or not allowed to")
    try:
        space = where / "space"
        space.mkdir()
        if user := unprivileged():
            shutil.chown(space, user)
        yield space
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


async def _sql(system: WiredSystem, *statements: str) -> None:
    url = make_url(system.servers.postgres.dsn("activity"))
    connection = await asyncpg.connect(
        host=str(url.query["host"]), user=url.username, database="activity"
    )
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _moves(to: str) -> list[str]:
    return [f"alter table {table} set tablespace {to}" for table in _MOVED]


async def test_no_space_left_for_the_database(
    broken: WiredSystem, api: Api, world: World, told: Told, small: Path
) -> None:
    await _sql(broken, f"create tablespace small location '{small}'", *_moves("small"))
    try:
        accepted = await world.log(2)
        filler = small.parent / "filler"
        _fill(filler)
        more, refused = await _until_refused(broken, world)
        accepted += more
        async with httpx.AsyncClient(
            base_url=broken.url("activity"), trust_env=False, headers=tokens.allowed()
        ) as client:
            there = (await client.get(f"/sessions/{accepted[-1]}")).status_code
            missing = (await client.get(f"/sessions/{refused['id']}")).status_code
            assert (there, missing) == (200, 404)
        began = time.monotonic()
        filler.unlink()
        await api.send("activity", "POST", "/sessions", refused)
        await until_ready(broken, *broken.replicas)
        wanted = {*accepted, refused["id"]}
        await until_exact(broken, api, lambda log: log.sessions.keys() >= wanted)
        told("disk full", time.monotonic() - began)
    finally:
        await _sql(broken, *_moves("pg_default"), "drop tablespace small")


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


async def _until_refused(broken: WiredSystem, world: World) -> tuple[list[str], dict[str, object]]:
    """Sessions until there is no room for another: those accepted, and the first refused."""
    accepted: list[str] = []
    async with httpx.AsyncClient(
        base_url=broken.url("activity"), trust_env=False, headers=tokens.allowed()
    ) as client:
        for number in range(2, 2000):
            body = world.meeting(number)
            answer = await client.post("/sessions", json=body)
            if answer.status_code == 503:
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["code"] == "database.unavailable"
                return accepted, body
            assert answer.status_code == 201, answer.text
            accepted.append(body["id"])
    raise AssertionError("it never ran out of space")
