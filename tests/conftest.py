"""Real servers for the tests: one PostgreSQL and one Kafka a run, started by the project itself."""

import asyncio
import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from nastavnik_local.servers import LocalServers
from tests import tokens as _tokens  # noqa: F401 -- it fills the environment

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def servers() -> Iterator[LocalServers]:
    # not below pytest's own directory: another run of pytest closes it to PostgreSQL's user
    with (
        tempfile.TemporaryDirectory(prefix="nastavnik-") as root,
        LocalServers.start(Path(root), kafka_port=0, fsync=False) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def new_database(servers: LocalServers) -> Callable[[str], str]:
    """A function that makes an empty database and returns its URL."""

    def make(name: str) -> str:
        database = f"{name}_{next(_numbers)}"
        url = servers.postgres.dsn("postgres")

        async def create() -> None:
            parsed = make_url(url)
            connection = await asyncpg.connect(
                host=str(parsed.query["host"]), user=parsed.username, database="postgres"
            )
            await connection.execute(f'create database "{database}"')
            await connection.close()

        asyncio.run(create())
        return servers.postgres.dsn(database)

    return make
