"""Pulls from a provider into the registry, through the same import as packages."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from nastavnik_common import db
from nastavnik_registry.app import create_app
from nastavnik_registry.pulling import Pulls
from nastavnik_registry.pulling.config import PullSource
from nastavnik_registry.pulling.puller import Puller
from nastavnik_registry.settings import RegistrySettings
from tests import tokens
from tests.registry.conftest import Events, Made
from tests.registry.fake_provider import BASE, FakeProvider

Record = dict[str, Any]


@pytest.fixture
def provider() -> FakeProvider:
    made = FakeProvider()
    made.org("d1", "district")
    made.org("s1", parent="d1")
    made.org("s2", parent="d1")
    for number in range(10):
        made.user(f"u{number}", metadata={"grade": "9"})
        made.put("demographics", f"u{number}", {"birthDate": f"201{number}-05-04"})
    made.user("t1", role="teacher", metadata={"teachingSince": "2019-09-01"})
    return made


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> PullSource:
    monkeypatch.setenv("SIS_SECRET", "s3cret")
    return PullSource(
        base_url=BASE,
        token_url="https://sis.example.org/token",
        client_id="nastavnik",
        client_secret="env:SIS_SECRET",
        page=4,
        interval_seconds=1000,
        overlap_seconds=1,
        backoff_seconds=0,
        attempts=2,
    )


class Pulling:
    """A puller and what it brought."""

    def __init__(
        self,
        app: FastAPI,
        settings: RegistrySettings,
        connection: asyncpg.Connection,
        source: PullSource,
        transport: httpx.AsyncBaseTransport,
    ) -> None:
        self._jobs, self._connection = app.state.service.jobs, connection
        sessions = app.state.service.sessions
        self.puller = Puller(settings, sessions, self._jobs.wake, "sis", source, transport)

    async def __call__(self) -> Record:
        """Pull now, and import what came. The pull's row."""
        await self._connection.execute("update pull set due_at = now()")
        await self.puller.turn()
        await self._jobs.drain()
        await self.puller.turn()
        return await self.row()

    async def row(self) -> Record:
        return dict(await self._connection.fetchrow("select * from pull"))

    async def imports(self) -> list[Record]:
        """Status and the modes of the files of every import, oldest first."""
        rows = await self._connection.fetch(
            "select status, report->'files'->0->>'mode' as mode from import_job order by created_at"
        )
        return [dict(row) for row in rows]


@pytest.fixture
def pull(
    app: FastAPI,
    registry_settings: RegistrySettings,
    connection: asyncpg.Connection,
    source: PullSource,
    provider: FakeProvider,
) -> Pulling:
    return Pulling(app, registry_settings, connection, source, provider.transport)


@pytest.fixture
def person(client: httpx.AsyncClient) -> Callable[[str], Awaitable[Record]]:
    async def find(outside: str) -> Record:
        asked = {"source": "sis", "kind": "participant", "ids": [outside]}
        found = (await client.post("/external-ids:resolve", json=asked)).json()["found"]
        record: Record = (await client.get(f"/participants/{found[outside]}")).json()
        return record

    return find


async def test_a_roster_is_pulled_then_nothing_then_what_changed(
    pull: Pulling, provider: FakeProvider, person: Any, events: Events, import_dir: Path
) -> None:
    done = await pull()
    assert (done["phase"], done["error"], done["failures"]) == ("idle", None, 0)
    assert done["watermark"] == done["full_at"] is not None
    assert len(await events()) == 14
    teacher = await person("t1")
    assert (teacher["teaching_since"], teacher["memberships"][0]["kind"]) == (
        "2019-09-01",
        "teacher",
    )
    assert (await person("u3"))["birth_date"] == "2013-05-04"
    again = await pull()
    assert (again["phase"], again["imports"]) == ("idle", "[]")
    assert again["watermark"] >= done["watermark"]
    assert await events() == []

    provider.change("users", "u1", familyName="Петрова\r\n")
    moved = {"roleType": "primary", "role": "student", "org": {"sourcedId": "s2"}}
    provider.change("users", "u2", roles=[moved])
    provider.change("users", "u3", status="tobedeleted", givenName="", roles=[])
    provider.change("demographics", "u3", status="tobedeleted")
    provider.user("u99")
    provider.change("users", "u99")
    await pull()
    assert [(one["status"], one["mode"]) for one in await pull.imports()] == [
        ("completed", "bulk"),
        ("completed", "delta"),
    ]
    assert (await person("u1"))["family_name"] == "Петрова"
    assert [m["until"] is None for m in (await person("u2"))["memberships"]].count(True) == 1
    assert len((await person("u2"))["memberships"]) == 2
    left = await person("u3")
    assert (left["given_name"], left["birth_date"]) == ("Анна", "2013-05-04")
    assert all(m["until"] for m in left["memberships"])
    assert len(await events()) == 4
    assert list(import_dir.rglob("*.spool")) == list(import_dir.rglob("*.zip")) == []


async def test_a_pull_cut_short_goes_on(
    pull: Pulling, provider: FakeProvider, connection: asyncpg.Connection, import_dir: Path
) -> None:
    reading = asyncio.Event()

    def hang(number: int) -> None:
        if number == 6:
            reading.set()

    provider.before = hang
    turn = asyncio.create_task(pull.puller.turn())
    await asyncio.wait_for(reading.wait(), 20)
    turn.cancel()
    await asyncio.gather(turn, return_exceptions=True)
    row = await pull.row()
    assert (row["phase"], row["done"] > 0) == ("reading", True)
    assert len(list(import_dir.rglob("*.spool"))) == 1
    before = len(provider.requests)
    done = await pull()
    assert (done["phase"], done["error"]) == ("idle", None)
    assert provider.requests[before][1]["offset"] != "0"
    assert await connection.fetchval("select count(*) from participant") == 11


async def test_a_provider_that_is_away_is_asked_later(
    pull: Pulling, provider: FakeProvider, source: PullSource, connection: asyncpg.Connection
) -> None:
    provider.answers = [(503, {})] * source.attempts
    await pull.puller.turn()
    row = await pull.row()
    assert (row["phase"], row["error"]) == ("reading", "pull.provider_unavailable")
    assert row["failures"] == 1
    asked = len(provider.requests)
    await pull.puller.turn()  # not due
    assert len(provider.requests) == asked
    assert (await pull())["error"] is None


async def test_one_puller_a_source(
    pull: Pulling, provider: FakeProvider, connection: asyncpg.Connection
) -> None:
    await connection.fetchval("select pg_advisory_lock(hashtextextended('sis', 19))")
    await pull.puller.turn()
    assert provider.requests == []
    await connection.fetchval("select pg_advisory_unlock(hashtextextended('sis', 19))")
    await pull.puller.turn()
    assert provider.requests != []


async def test_what_the_checks_refuse_is_pulled_whole_next_time(
    pull: Pulling, provider: FakeProvider, connection: asyncpg.Connection
) -> None:
    provider.user("bad", role="Schoolboy")
    done = await pull()
    assert (done["error"], done["watermark"]) == ("pull.import_rejected", None)
    assert await connection.fetchval("select count(*) from participant") == 0
    del provider.tables["users"]["bad"]
    done = await pull()
    assert (done["error"], done["watermark"] is None) == (None, False)
    provider.change("users", "u1", roles=[{"role": "?", "roleType": "primary"}])
    assert (await pull())["wanted"] == "full"
    provider.user("u1")
    await pull()
    modes = [(one["status"], one["mode"]) for one in await pull.imports()]
    assert modes[-2:] == [("rejected", "delta"), ("completed", "bulk")]


async def test_an_empty_provider_is_no_roster(pull: Pulling, provider: FakeProvider) -> None:
    full = provider.tables
    provider.tables = {name: {} for name in full}
    row = await pull()
    assert (row["error"], row["imports"]) == ("pull.empty", "[]")
    provider.tables = full
    assert (await pull())["error"] is None


async def test_whoever_is_to_be_deleted_leaves_in_a_full_pull_too(
    pull: Pulling, provider: FakeProvider, person: Any, connection: asyncpg.Connection
) -> None:
    await pull()
    provider.put("users", "u5", {"status": "tobedeleted"})
    await connection.execute("update pull set wanted = 'full'")
    await pull()
    assert [one["mode"] for one in await pull.imports()] == ["bulk", "bulk", "delta"]
    left = await person("u5")
    assert (left["family_name"], left["memberships"][0]["until"] is None) == ("Иванова", False)


async def test_pulls_over_http(
    app: FastAPI,
    client: httpx.AsyncClient,
    registry_settings: RegistrySettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(f'[sources.sis]\nbase_url = "{BASE}"\n')
    settings = registry_settings.model_copy(update={"pull_sources": file})
    service = app.state.service
    monkeypatch.setattr(app.state, "pulls", Pulls(settings, service.sessions, service.jobs.wake))
    (one,) = (await client.get("/pulls")).json()["items"]
    assert (one["source"], one["phase"], one["mode"]) == ("sis", "idle", "full")
    asked = await client.post("/pulls/sis:run", params={"full": True})
    assert (asked.status_code, asked.json()["failures"]) == (202, 0)
    assert (one["asked_by"], asked.json()["asked_by"]) == (None, tokens.actor())
    assert (await client.get("/pulls/sis")).json() == asked.json()
    assert (await client.get("/pulls/other")).json()["code"] == "pull.not_found"
    assert (await client.post("/pulls/other:run")).status_code == 404
    assert (await client.get("/pulls/sis:run")).status_code == 405


@pytest.fixture
def another(
    registry_settings: RegistrySettings, new_database: Callable[[str], str], tmp_path: Path
) -> RegistrySettings:
    """Another registry, empty."""
    own = {"database_url": new_database("another"), "import_dir": tmp_path}
    settings = registry_settings.model_copy(update=own)
    db.migrate(settings, "nastavnik_registry")
    return settings


async def test_what_we_serve_and_pull_again_is_the_same(
    app: FastAPI,
    client: httpx.AsyncClient,
    make: Made,
    another: RegistrySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two registries: what one serves, the other pulls."""
    await _region(make)
    copy = create_app(another, background=False)
    base = "http://127.0.0.1/ims/oneroster/rostering/v1p2"
    monkeypatch.setenv("TOKEN", client.headers["authorization"].removeprefix("Bearer "))
    source = PullSource(base_url=base, token="env:TOKEN", page=2)
    connection = await db.connect(another.database_url)
    async with copy.router.lifespan_context(copy):
        pull = Pulling(copy, another, connection, source, httpx.ASGITransport(app))
        first = await pull()
        assert first["error"] is None
        second = await pull()  # the records are younger than the overlap: all are read again
        assert (second["error"], (await pull.imports())[-1]["mode"]) == (None, "delta")
        transport = httpx.ASGITransport(copy)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://copy", headers=client.headers
        ) as other:
            assert await _people(other) == await _people(client)
    versions = await connection.fetch("select distinct version from participant")
    assert [row["version"] for row in versions] == [1]
    await connection.close()


async def _region(make: Made) -> None:
    district = await make("organizations", level="municipality", name="Округ", oktmo="45000000")
    school = await make.school(parent_id=district["id"])
    college = await make.school(name="Колледж", kind="vocational", parent_id=district["id"])
    firm = await make.school(name="Завод", kind="enterprise", parent_id=district["id"])
    await make.pupil(school["id"], birth_date="2010-05-04", email="vera@example.org")
    kinds = {
        "teacher": school,
        "vocational_student": college,
        "university_student": college,
        "employer_representative": firm,
        "alumnus": school,
        "parent": school,
        "other": firm,
        "student": firm,
    }
    for kind, place in kinds.items():
        await make(
            "participants",
            family_name="Белова",
            given_name=kind,
            middle_name="Ильич",
            phone="+7 900 000-00-00",
            teaching_since="2020-09-01" if kind == "teacher" else None,
            memberships=[
                {"organization_id": place["id"], "kind": kind, "since": "2025-09-01"},
                {
                    "organization_id": school["id"],
                    "kind": "alumnus",
                    "primary": False,
                    "since": "2010-09-01",
                    "until": "2014-07-01",
                },
            ],
        )


async def _people(client: httpx.AsyncClient) -> list[Any]:
    """All that is known of everyone, with names of organisations for their ids."""
    units = (await client.get("/organizations")).json()["items"]
    names = {unit["id"]: (unit["name"], unit["level"], unit["kind"]) for unit in units}
    people = (await client.get("/participants")).json()["items"]
    hidden = ("id", "version", "external_ids", "memberships")
    return sorted(
        (
            sorted((k, str(v)) for k, v in one.items() if k not in hidden),
            [
                (names[m["organization_id"]], m["kind"], m["primary"], m["since"], m["until"])
                for m in one["memberships"]
            ],
        )
        for one in people
    )
