"""A registry database, migrated, and the service on it without its background."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from fastapi import FastAPI

from nastavnik_common import db
from nastavnik_registry.app import create_app
from nastavnik_registry.settings import RegistrySettings
from tests import tokens
from tests.registry.importing import ZIP, Import
from tests.registry.packages import Roster


@pytest.fixture(scope="session")
def registry_settings(
    new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> RegistrySettings:
    settings = RegistrySettings(
        database_url=new_database("registry"),
        import_dir=tmp_path_factory.mktemp("imports"),
        import_max_bytes=50_000_000,
    )
    db.migrate(settings, "nastavnik_registry")
    return settings


@pytest.fixture
async def connection(registry_settings: RegistrySettings) -> AsyncIterator[asyncpg.Connection]:
    """A connection to an empty registry database."""
    opened = await db.connect(registry_settings.database_url)
    tables = await opened.fetch(
        "select tablename from pg_tables where schemaname = 'public' and tablename <> $1",
        "alembic_version",
    )
    names = ", ".join(f'"{row["tablename"]}"' for row in tables)
    # some tables refuse it from everybody; a superuser may bid triggers be silent
    await opened.execute(
        f"set session_replication_role = replica; truncate {names}; reset session_replication_role"
    )
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
async def app(registry_settings: RegistrySettings) -> AsyncIterator[FastAPI]:
    """One for all tests: it keeps a process for imports warm."""
    made = create_app(registry_settings, background=False)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def client(app: FastAPI, connection: asyncpg.Connection) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service that knows nothing yet."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://registry", headers=tokens.allowed()
    ) as opened:
        yield opened


class Event(msgspec.Struct):
    """A row of the outbox."""

    topic: str
    key: str
    type: str
    version: int
    value: dict[str, Any] | None
    text: str


class Events:
    """What the service has put into its outbox since the last look."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def __call__(self) -> list[Event]:
        rows = await self._connection.fetch("delete from outbox returning *")
        return [self._read(row) for row in sorted(rows, key=lambda row: row["id"])]

    @staticmethod
    def _read(row: Any) -> Event:
        headers = dict(msgspec.json.decode(row["headers"]))
        value = None if row["value"] is None else msgspec.json.decode(row["value"])
        text = f"{row['headers']!r} {(row['value'] or b'').decode()}"
        return Event(
            row["topic"],
            row["key"],
            headers["ce_type"],
            int(headers["ce_sequence"]),
            value,
            text,
        )


@pytest.fixture
def events(connection: asyncpg.Connection) -> Events:
    return Events(connection)


class Made:
    """Short ways to make what a test needs."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def __call__(self, noun: str, **body: Any) -> dict[str, Any]:
        answer = await self._client.post(f"/{noun}", json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def school(self, **more: Any) -> dict[str, Any]:
        return await self(
            "organizations",
            **{"level": "organization", "kind": "general", "name": "Школа № 1", **more},
        )

    async def pupil(self, organization_id: str, **more: Any) -> dict[str, Any]:
        membership = {"organization_id": organization_id, "kind": "student"}
        body = {"family_name": "Соколова", "given_name": "Вера", "memberships": [membership]}
        return await self("participants", **{**body, **more})


@pytest.fixture
def make(client: httpx.AsyncClient) -> Made:
    return Made(client)


@pytest.fixture
async def year(make: Made) -> dict[str, Any]:
    """A school and its school year."""
    return {"organization_id": (await make.school())["id"], "school_year": "2026/27"}


@pytest.fixture
def import_dir(registry_settings: RegistrySettings) -> Path:
    return registry_settings.import_dir


@pytest.fixture
def run_import(app: FastAPI, client: httpx.AsyncClient) -> Import:
    async def run(package: Roster | bytes, source: str = "sgo", **query: str) -> dict[str, Any]:
        body = package if isinstance(package, bytes) else package.pack().getvalue()
        params = {"source": source, **query}
        accepted = await client.post("/imports", params=params, content=body, headers=ZIP)
        assert accepted.status_code == 202, accepted.text
        assert accepted.json()["status"] == "queued"
        await app.state.service.jobs.drain()
        found: dict[str, Any] = (await client.get(accepted.headers["location"])).json()
        return found

    return run
