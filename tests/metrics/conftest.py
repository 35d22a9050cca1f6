"""A metrics database, migrated, and a service on it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from nastavnik_common import db
from nastavnik_local.servers import LocalServers
from nastavnik_metrics import catalogue, store
from nastavnik_metrics.app import create_app
from nastavnik_metrics.batch import Batch
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.shares import Shares
from tests import tokens
from tests.metrics.world import FakeRecord, record, renumbered

CATALOGUE = catalogue.load()


@pytest.fixture(scope="session")
def metrics_settings(servers: LocalServers, new_database: Callable[[str], str]) -> MetricsSettings:
    settings = MetricsSettings(
        database_url=new_database("metrics"),
        kafka_bootstrap_servers=servers.kafka.bootstrap,
        kafka_idempotence=servers.kafka.idempotent,
    )
    db.migrate(settings, "nastavnik_metrics")
    return settings


@pytest.fixture
async def connection(metrics_settings: MetricsSettings) -> AsyncIterator[asyncpg.Connection]:
    """A connection to an empty metrics database."""
    opened = await db.connect(metrics_settings.database_url)
    await empty(opened)
    yield opened
    await opened.close()


async def empty(connection: asyncpg.Connection) -> None:
    tables = await connection.fetch(
        "select tablename from pg_tables where schemaname = 'public' and tablename <> $1",
        "alembic_version",
    )
    names = ", ".join(f'"{row["tablename"]}"' for row in tables)
    await connection.execute(f"truncate {names}")


@pytest.fixture
def app(metrics_settings: MetricsSettings) -> FastAPI:
    return create_app(metrics_settings, background=False)


@pytest.fixture
async def client(app: FastAPI, connection: asyncpg.Connection) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://metrics", headers=tokens.allowed()
    ) as opened:
        yield opened


Tell = Callable[..., Awaitable[None]]


@pytest.fixture
def tell(connection: asyncpg.Connection) -> Tell:
    """Fold states into the figures."""

    async def tell(*states: Any) -> None:
        await fold_in(connection, renumbered(map(record, states)), 1000)

    return tell


async def fold_in(connection: asyncpg.Connection, log: list[FakeRecord], size: int) -> None:
    """Fold records in batches of the size, as the projector would."""
    shares = Shares(CATALOGUE)
    for start in range(0, len(log), size):
        batch = Batch({(r.topic, r.partition): 0 for r in log})
        batch.add(log[start : start + size])
        assert not batch.poison
        async with connection.transaction():
            await store.apply(connection, batch, shares)
