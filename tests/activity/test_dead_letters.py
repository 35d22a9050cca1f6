"""Dead letters of the activity service: what it could not read of the registry's events."""

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from nastavnik_activity import replica
from nastavnik_common.events.reading import UnreadableError
from nastavnik_local.ports import free_port
from tests import tokens
from tests.activity import make


async def put_aside(app: FastAPI, connection: asyncpg.Connection, *records: make.Record) -> None:
    for offset, record in enumerate(records):
        record.offset = offset
    async with app.state.service.sessions.begin() as tx:
        done = await replica.apply(tx, records)
    assert sum(done.parked.values()) == len(records)


async def open_letters(client: httpx.AsyncClient) -> list[int]:
    items = (await client.get("/dead-letters?state=open")).json()["items"]
    return [x["id"] for x in items]


async def knows(connection: asyncpg.Connection, ident: UUID) -> bool:
    query = "select count(*) from replica_participant where id = $1 and not deleted"
    return bool(await connection.fetchval(query, ident))


def text(raw: bytes | None) -> str:
    return base64.b64encode(raw or b"").decode()


def cut(record: make.Record) -> make.Record:
    assert record.value is not None
    return make.Record(record.topic, record.key, record.value[:-10], record.headers)


async def test_a_truncated_record_is_fixed_and_known(
    app: FastAPI, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    person = uuid4()
    whole = make.record(make.participant(person))
    await put_aside(app, connection, cut(whole))
    (letter,) = await open_letters(client)
    tried = (await client.post(f"/dead-letters/{letter}:replay")).json()
    assert (tried["result"], tried["letter"]["code"]) == ("failed", "event.bad_value")
    body = {"value_base64": text(whole.value)}
    fixed = (await client.post(f"/dead-letters/{letter}:fix", json=body)).json()
    assert (fixed["result"], fixed["letter"]["state"]) == ("applied", "resolved")
    assert await knows(connection, person)
    # a replay that fails parks nothing anew
    assert await connection.fetchval("select count(*) from dead_letter") == 1
    # the batch comes again after a crash: it is known already, closed or not
    async with app.state.service.sessions.begin() as tx:
        await replica.apply(tx, [cut(whole)])
    assert await open_letters(client) == []


async def test_all_are_tried_again_after_a_fix_of_the_code(
    app: FastAPI,
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise UnreadableError("event.bad_value", "a field that is not in the description")

    people = [uuid4() for _ in range(5)]
    with monkeypatch.context() as older:
        older.setattr("nastavnik_common.events.reading._state", refuse)
        await put_aside(app, connection, *(make.record(make.participant(p)) for p in people))
    newer = make.record(make.tombstone(people[0], 2))
    async with app.state.service.sessions.begin() as tx:
        await replica.apply(tx, [newer])
    done = (await client.post("/dead-letters:replay", json={"topic": newer.topic})).json()
    assert (done["resolved"], done["failed"]) == (5, 0)
    assert [x["result"] for x in done["letters"]] == ["superseded", *["applied"] * 4]
    assert [await knows(connection, p) for p in people] == [False, *[True] * 4]


async def test_a_tombstone_with_a_value_and_a_wrong_key_can_be_put_right(
    app: FastAPI, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    person = uuid4()
    wrong = make.record(make.tombstone(person, 2))
    wrong.key, wrong.value = b"somebody", b"{}"
    await put_aside(app, connection, wrong)
    (letter,) = await open_letters(client)

    async def fix(**body: object) -> httpx.Response:
        return await client.post(f"/dead-letters/{letter}:fix", json=body)

    assert (await fix()).json()["code"] == "dead_letter.nothing_given"
    assert (await fix(value_base64="?")).json()["code"] == "base64.malformed"
    found = (await fix(key_base64=text(str(person).encode()))).json()
    assert found["letter"]["code"] == "event.tombstone_with_value"
    unknown = {"ce_type": "nastavnik.participant.promoted.v9"}
    assert (await fix(headers=unknown)).json()["letter"]["code"] == "event.unknown_type"
    body = {"headers": {"ce_type": "nastavnik.participant.deleted.v1"}, "value_base64": None}
    assert (await fix(**body)).json()["result"] == "applied"
    gone = "select deleted from replica_participant where id = $1"
    assert await connection.fetchval(gone, person)
    trail = (await client.get(f"/dead-letters/{letter}/actions")).json()["items"]
    assert [a["result"] for a in trail] == ["failed", "failed", "applied"]
    assert "(before: event.key_mismatch: " in trail[0]["detail"]


async def test_of_many_at_once_one_closes_the_letter(
    app: FastAPI, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    whole = make.record(make.participant(uuid4()))
    await put_aside(app, connection, cut(whole))
    (letter,) = await open_letters(client)
    fix = {"value_base64": text(whole.value)}
    discard = {"reason": "not ours"}
    answers = await asyncio.gather(
        *(client.post(f"/dead-letters/{letter}:fix", json=fix) for _ in range(3)),
        *(client.post(f"/dead-letters/{letter}:discard", json=discard) for _ in range(3)),
    )
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409, 409, 409]
    assert (await client.post("/dead-letters:resume")).status_code in (
        404,
        405,
    )


async def test_the_open_ones_are_measured(
    app: FastAPI, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await put_aside(app, connection, cut(make.record(make.participant(uuid4()))))
    async with app.router.lifespan_context(app), asyncio.timeout(30):
        while True:
            shown = (await client.get("/metrics")).text
            if 'nastavnik_dead_letters_open{topic="nastavnik.participants"} 1.0' in shown:
                break
            await asyncio.sleep(0.1)
    assert 'nastavnik_dead_letters_open{topic="nastavnik.organizations"} 0.0' in shown


# ---------------------------------------------------------------- from the command line


@pytest.fixture
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The service on a port; its address."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 -- it tells nobody
        await asyncio.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


async def test_the_command_line(
    app: FastAPI, served: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    people = [uuid4() for _ in range(3)]
    whole = [make.record(make.participant(p)) for p in people]
    await put_aside(app, connection, *map(cut, whole))

    async def run(*args: str, fails: int = 0) -> str:
        command = [sys.executable, "-c", "from nastavnik_local.cli import app; app()"]
        more = ["dead-letters", *args, "--service", "activity", "--url", served]
        process = await asyncio.create_subprocess_exec(
            *command, *more, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        told, _ = await process.communicate()
        assert process.returncode == fails, told.decode()
        return told.decode()

    listed = json.loads(await run("list", "--json"))
    first, second, third = (str(x["id"]) for x in listed)
    assert "3 letters" in await run("list", "--topic", whole[0].topic)
    value = tmp_path / "value.json"
    value.write_bytes(whole[0].value or b"")
    fixed = await run("fix", first, "--value-file", str(value))
    assert fixed == f"{first} is resolved: applied\n"
    assert await knows(connection, people[0])
    wrong = await run("fix", second, "--header", "ce_sequence=", fails=1)
    assert "header ce_sequence is missing" in wrong
    assert "2 stay open" in await run("replay", "--all", fails=1)
    assert "is discarded" in await run("discard", third, "--reason", "a test")
    assert "dead_letter.closed" in await run("replay", third, fails=2)
    shown = json.loads(await run("show", first, "--reveal", "--json"))
    assert shown["corrected"]["value_base64"] == text(whole[0].value)
    assert [(a["by"], a["action"]) for a in shown["actions"]] == [
        (tokens.actor(), "fix"),
        (tokens.actor(), "reveal"),
    ]
    assert "event.bad_envelope" in await run("show", second)
