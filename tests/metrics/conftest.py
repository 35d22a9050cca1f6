"""A metrics database, migrated, and a service on it."""

from collections.abc import AsyncIterator, Callable

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from nastavnik_common import db
from nastavnik_local.servers import LocalServers
from nastavnik_metrics.app import create_app
from nastavnik_metrics.settings import MetricsSettings


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
    async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as opened:
        yield opened
