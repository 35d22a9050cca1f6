"""Where benchmarks run: a fresh PostgreSQL and Kafka, with the three services or without."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url

from nastavnik_common import db
from nastavnik_common.settings import Settings
from nastavnik_local import kafka, postgres
from nastavnik_local.cli_system import Ports, system
from nastavnik_local.errors import LaunchError
from nastavnik_local.scenario_api import Api, Urls
from nastavnik_local.servers import LocalServers
from nastavnik_local.supervisor import sigterm_as_exit
from nastavnik_metrics.settings import MetricsSettings
from tests import tokens as _tokens  # noqa: F401 -- it fills the environment

os.environ.setdefault("NASTAVNIK_RATE_PER_SECOND", "0")  # one client is to be as fast as can be

_SETTLE = 600.0  # seconds everything may take to come to rest


class ForeignServersError(LaunchError):
    """The environment names servers that are not ours to fill with benchmarks."""


@dataclass(frozen=True)
class Stage:
    """`urls`, `token` and `pids` are empty where no service runs, `servers` where they do; `quick`
    asks for small sizes."""

    root: Path
    bootstrap: str
    flavour: str
    databases: Mapping[str, str]
    quick: bool
    urls: Urls | None = None
    token: str | None = None
    pids: Mapping[str, int] = field(default_factory=dict)
    servers: LocalServers | None = None

    def settings(self, database: str) -> Settings:
        return Settings(
            database_url=self.databases[database],
            kafka_bootstrap_servers=self.bootstrap,
            kafka_idempotence=self.flavour != "tansu",
        )

    async def own_database(self, name: str, package: str) -> MetricsSettings:
        """A new database beside the others, migrated as the package's, and settings for it."""
        url = make_url(self.databases["metrics"])
        connection = await db.connect(self.databases["metrics"])
        await connection.execute(f'create database "{name}"')
        await connection.close()
        settings = MetricsSettings(
            **{
                **self.settings("metrics").model_dump(),
                "database_url": url.set(database=name).render_as_string(hide_password=False),
            }
        )
        await asyncio.to_thread(db.migrate, settings, package)
        return settings

    def connect(self) -> contextlib.AbstractAsyncContextManager[Api]:
        assert self.urls is not None
        return Api.connect(self.urls, self.token)

    async def settled(self, api: Api) -> None:
        """Until every outbox is empty and metrics has read all there is: three looks in a row."""
        deadline = asyncio.get_running_loop().time() + _SETTLE
        calm, before = 0, -1
        while calm < 3:
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError("the services do not come to rest")
            await asyncio.sleep(0.25)
            progress = (await api.get("metrics", "/progress")).body
            read = sum(partition["next_offset"] for partition in progress["partitions"])
            rest = progress["lag"] == 0 and read == before and not await self._waiting()
            calm, before = (calm + 1 if rest else 0), read

    async def _waiting(self) -> bool:
        """Whether an event waits in an outbox."""
        for url in self.databases.values():
            connection = await db.connect(url)
            found = await connection.fetchval("select exists (select from outbox)")
            await connection.close()
            if found:
                return True
        return False


@contextlib.contextmanager
def servers(*, quick: bool) -> Iterator[Stage]:
    """PostgreSQL and Kafka alone, migrated, with fsync."""
    _refuse_foreign()
    with (
        sigterm_as_exit(),
        _root() as root,
        LocalServers.start(root, kafka_port=0, say=lambda _: None) as running,
    ):
        databases = {name: running.postgres.dsn(name) for name in postgres.DATABASES}
        at = (running.kafka.bootstrap, running.kafka.flavour, databases, quick)
        stage = Stage(root, *at, servers=running)
        for name in databases:
            db.migrate(stage.settings(name), f"nastavnik_{name}")
        yield stage


@contextlib.contextmanager
def services(*, quick: bool) -> Iterator[Stage]:
    """All of it: the servers with fsync, the services as processes."""
    _refuse_foreign()
    with _root() as root, system(root, Ports(0, 0, 0, 0)) as up:
        watched = up.supervisor.services
        databases = {n: w.service.env["NASTAVNIK_DATABASE_URL"] for n, w in watched.items()}
        pids = {name: one.child.pid for name, one in watched.items()}
        servers = (up.bootstrap, up.flavour, databases)
        yield Stage(root, *servers, quick, up.urls, up.token, pids)


@contextlib.contextmanager
def _root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nastavnik-bench-", ignore_cleanup_errors=True) as root:
        yield Path(root)


def _refuse_foreign() -> None:
    for name in (kafka.EXTERNAL, postgres.EXTERNAL):
        if name in os.environ:
            raise ForeignServersError(f"benchmarks start servers of their own; unset {name}")
