"""An activity database, migrated, a service on it, and people to mentor each other."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from nastavnik_activity import replica
from nastavnik_activity.app import create_app
from nastavnik_common import db
from nastavnik_common.settings import Settings
from nastavnik_local.servers import LocalServers
from tests import tokens
from tests.activity import make

Json = dict[str, Any]


@pytest.fixture(scope="session")
def settings(servers: LocalServers, new_database: Callable[[str], str]) -> Settings:
    found = Settings(
        database_url=new_database("activity"),
        kafka_bootstrap_servers=servers.kafka.bootstrap,
        kafka_idempotence=servers.kafka.idempotent,
        kafka_session_timeout_ms=6000,
    )
    db.migrate(found, "nastavnik_activity")
    return found


@pytest.fixture
async def connection(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection to an empty activity database."""
    opened = await db.connect(settings.database_url)
    names = await opened.fetch(
        "select quote_ident(tablename) as name from pg_tables"
        " where schemaname = 'public' and tablename <> 'alembic_version'"
    )
    await opened.execute("truncate " + ", ".join(row["name"] for row in names))
    yield opened
    await opened.close()


@pytest.fixture
async def app(settings: Settings, connection: asyncpg.Connection) -> AsyncIterator[FastAPI]:
    """The real application, its relay and consumer not running."""
    made = create_app(settings)
    yield made
    await made.state.engine.dispose()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://activity", headers=tokens.allowed()
    ) as opened:
        yield opened


@pytest.fixture
async def school(app: FastAPI) -> make.School:
    """An organisation and people, known from events."""
    made = make.School()
    async with app.state.service.sessions.begin() as tx:
        await replica.apply(tx, made.records())
    return made


@pytest.fixture
async def pair(client: httpx.AsyncClient, school: make.School) -> UUID:
    """A pair active since 1 September 2025."""
    answer = await client.post("/mentorships", json=school.pair(active_from="2025-09-01"))
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])
