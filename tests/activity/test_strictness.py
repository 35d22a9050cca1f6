"""Whatever is sent, the answer is clean: never a 500, never an echo."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fastapi import FastAPI
from sqlalchemy import Connection

from nastavnik_activity import tables
from nastavnik_activity.app import create_app
from nastavnik_common import db
from nastavnik_common.settings import Settings
from tests import tokens
from tests.activity import make
from tests.activity.talk import batch, code


async def test_migrations_make_what_the_tables_say(
    app: FastAPI, connection: asyncpg.Connection
) -> None:
    def compare(sync: Connection) -> Any:
        return compare_metadata(MigrationContext.configure(sync), tables.Base.metadata)

    async with app.state.engine.connect() as opened:
        assert await opened.run_sync(compare) == []


@pytest.mark.parametrize(
    "change",
    [
        {"secret": 1},
        {"form": "a\x00secret"},
        {"form": "\ud800secret"},
        {"id": "secret"},
        {"id": 10**40},
        {"organization_id": None},
        {"members": "secret"},
        {"members": [{"participant_id": str(uuid4()), "role": "secret"}]},
        {"members": [{"participant_id": str(uuid4()), "role": "mentor", "secret": 1}]},
        {"sessions_per_month": True},
        {"sessions_per_month": "4"},
        {"sessions_per_month": 10**30},
        {"sessions_per_month": 0},
        {"active_from": 1_700_000_000},
        {"active_from": "2025-09-01T00:00:00"},
        {"active_from": "2025-02-30"},
        {"type": ["secret"]},
    ],
)
async def test_bodies_of_mentorships(
    client: httpx.AsyncClient, school: make.School, change: dict[str, Any]
) -> None:
    content = json.dumps({**school.pair(), **change})
    headers = {"content-type": "application/json"}
    answer = await client.post("/mentorships", content=content, headers=headers)
    assert code(answer) == (422, "request.invalid")
    messages = [error["message"] for error in answer.json()["errors"]]
    assert "secret" not in str(messages)


@pytest.mark.parametrize(
    "change",
    [
        {"starts_at": "2025-10-01T14:00:00"},
        {"starts_at": 1_759_000_000},
        {"starts_at": "1759000000"},
        {"starts_at": "2025-10-01T14:00:00+99:00"},
        {"starts_at": "2025-13-01T14:00:00Z"},
        {"duration_minutes": 0},
        {"duration_minutes": 45.5},
        {"technology": "secret"},
        {"audience": ["secret"]},
        {"attendance": [{"participant_id": str(uuid4()), "attended": 1}]},
        {"status": "voided"},
        {"mentorship_id": "x\x00"},
    ],
)
async def test_bodies_of_sessions(
    client: httpx.AsyncClient, pair: UUID, change: dict[str, Any]
) -> None:
    answer = await client.post("/sessions", json={**make.session(pair), **change})
    assert code(answer) == (422, "request.invalid")
    body = {**make.session(pair), **change}
    assert (await batch(client, [body]))[0]["problem"]["code"] == "line.invalid"


@pytest.mark.parametrize(
    "path",
    [
        "/mentorships",
        "/sessions",
        "/forms",
        "/questionnaires",
        "/surveys",
        "/assessments",
        "/contributions",
        "/gatherings",
    ],
)
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": "-1"}, 422),
        ({"limit": "0"}, 422),
        ({"limit": "1" + "0" * 40}, 422),
        ({"cursor": "secret"}, 400),
        ({"cursor": "\u0441"}, 400),
        ({"cursor": "WzFd"}, 400),
        ({"cursor": ""}, 400),
        ({"cursor": "x" * 1001}, 422),
    ],
)
async def test_queries(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    path: str,
    query: dict[str, str],
    status: int,
) -> None:
    assert (await client.get(path, params=query)).status_code == status


async def test_more_queries(client: httpx.AsyncClient, connection: asyncpg.Connection) -> None:
    for path, query in (
        ("/mentorships", {"form": "\x00"}),
        ("/mentorships", {"status": "secret"}),
        ("/mentorships", {"organization_id": "1"}),
        ("/sessions", {"from": "yesterday"}),
        ("/sessions", {"to": "10000-01-01"}),
        ("/sessions/1", {}),
    ):
        assert code(await client.get(path, params=query)) == (422, "request.invalid")
    assert (await client.get("/sessions", params={"from": "0001-01-01"})).status_code == 200
    null_cursor = "WyJhXHUwMDAwYiJd"  # ["a\0b"]
    assert (await client.get("/forms", params={"cursor": null_cursor})).status_code == 200


@pytest.mark.parametrize("given", ["secret", '"²"'.encode("latin-1"), "9" * 5000, '"-1"'])
async def test_if_match(client: httpx.AsyncClient, pair: UUID, given: Any) -> None:
    answer = await client.delete(f"/mentorships/{pair}", headers={"if-match": given})
    assert code(answer) == (400, "if_match.malformed")


async def test_actions_take_no_other_method(client: httpx.AsyncClient, pair: UUID) -> None:
    answer = await client.get(f"/mentorships/{pair}:activate")
    assert code(answer) == (405, "route.method_not_allowed")
    assert answer.headers["allow"] == "POST"
    both = await client.put(f"/mentorships/{pair}")
    assert both.headers["allow"] == "DELETE, GET, PATCH"


async def test_bodies_that_are_no_json(client: httpx.AsyncClient, pair: UUID) -> None:
    headers = {"content-type": "application/json"}
    for content in (b"secret", b"\xff", b""):
        answer = await client.post("/sessions", content=content, headers=headers)
        assert answer.status_code in (400, 422)
        assert "secret" not in answer.text
    deep = await client.post("/sessions", content=b"[" * 100_000, headers=headers)
    assert deep.status_code in (400, 422)


async def test_a_broken_database_is_a_503() -> None:
    away = create_app(Settings(database_url="postgresql+asyncpg://x@127.0.0.1:1/x"))
    transport = httpx.ASGITransport(away, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://activity", headers=tokens.allowed()
    ) as lost:
        answer = await lost.get("/forms")
    assert code(answer) == (503, "database.unavailable")


@pytest.mark.parametrize("table", ["mentorship", "session"])
async def test_a_connection_lost_in_the_middle_is_a_503(
    settings: Settings,
    client: httpx.AsyncClient,
    pair: UUID,
    connection: asyncpg.Connection,
    table: str,
) -> None:
    """While it waits for a row of SQLAlchemy's, and in the middle of a COPY."""
    async with connection.transaction():
        await connection.execute(f"lock table {table} in exclusive mode")
        waiting = asyncio.create_task(client.post("/sessions", json=make.session(pair)))
        other = await db.connect(settings.database_url)
        killed = False
        while not (killed or waiting.done()):
            await asyncio.sleep(0.01)
            killed = await other.fetchval(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            )
        await other.close()
        assert code(await waiting) == (503, "database.unavailable")
    assert (await client.post("/sessions", json=make.session(pair))).status_code == 201
