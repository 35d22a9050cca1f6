"""Dead letters of the projector: put aside, looked at, tried again, corrected, discarded."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from nastavnik_common import kafka
from nastavnik_common.events import reading
from nastavnik_metrics import store
from nastavnik_metrics.app import create_app
from nastavnik_metrics.batch import TOPICS, Batch
from nastavnik_metrics.parking import park
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.shares import Shares
from tests import tokens
from tests.metrics.conftest import CATALOGUE, Tell
from tests.metrics.world import (
    TREE,
    FakeRecord,
    ident,
    meeting,
    next_version,
    pair,
    person,
    record,
)

PEOPLE = [person(name, "school") for name in ("anna", "boris", "vera")]
WORLD = [*TREE, *PEOPLE, pair("pair", "anna", "boris")]
HELD = record(meeting("meet", "pair", "anna", "boris"))


async def put_aside(connection: asyncpg.Connection, *records: FakeRecord) -> list[int]:
    """Park records as the projector does; the ids of the letters that are open."""
    batch = Batch({(r.topic, r.partition): 0 for r in records})
    for one in records:
        batch.add([one])
    async with connection.transaction():
        await store.apply(connection, batch, Shares(CATALOGUE))
        await park(connection, batch.poison)
    assert len(batch.poison) == len(records)
    rows = await connection.fetch("select id from dead_letter order by id")
    return [row["id"] for row in rows]


async def coverage(client: httpx.AsyncClient) -> int:
    answer = await client.get(
        "/indicators/coverage.students/values",
        params={"unit": str(ident("region")), "school_year": "2026/27"},
    )
    return int(answer.json()["items"][0]["numerator"])


async def post(client: httpx.AsyncClient, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def text(raw: bytes | None) -> str:
    return base64.b64encode(raw or b"").decode()


async def test_a_truncated_record_is_parked_fixed_and_counted(
    client: httpx.AsyncClient, connection: asyncpg.Connection, tell: Tell
) -> None:
    await tell(*WORLD)
    assert HELD.value is not None
    cut = HELD._replace(value=HELD.value[:-20])
    (letter,) = await put_aside(connection, cut)
    before = (await client.get(f"/dead-letters/{letter}")).json()
    assert (before["state"], before["code"]) == ("open", "event.bad_value")

    tried = await post(client, f"/dead-letters/{letter}:replay")
    assert tried["result"] == "failed"
    same = ("state", "code", "error", "parked_at")
    assert [tried["letter"][name] for name in same] == [before[name] for name in same]
    assert await coverage(client) == 0

    body = {"value_base64": text(HELD.value)}
    fixed = await post(client, f"/dead-letters/{letter}:fix", body)
    assert (fixed["result"], fixed["letter"]["state"]) == ("applied", "resolved")
    assert await coverage(client) == 2

    shown = (await client.get(f"/dead-letters/{letter}?reveal=true")).json()
    assert shown["record"]["value_base64"] == text(cut.value)
    assert shown["corrected"]["value_base64"] == text(HELD.value)
    trail = (await client.get(f"/dead-letters/{letter}/actions")).json()["items"]
    assert [(a["by"], a["action"], a["result"]) for a in trail] == [
        (tokens.actor(), "replay", "failed"),
        (tokens.actor(), "fix", "applied"),
        (tokens.actor(), "reveal", "shown"),
    ]
    assert trail[0]["detail"] == f"{before['code']}: {before['error']}"


async def test_lists_show_nothing_of_the_record(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    secret = HELD._replace(value=b"secret", headers=(*HELD.headers, ("extra", b"secret \xff")))
    wrong_key = record(PEOPLE[0])._replace(key=b"secret")
    letters = await put_aside(connection, secret, wrong_key, record(PEOPLE[1])._replace(value=b"["))
    first = (await client.get("/dead-letters?limit=2")).json()
    rest = (await client.get(f"/dead-letters?limit=2&cursor={first['next_cursor']}")).json()
    assert [x["id"] for x in first["items"] + rest["items"]] == letters
    assert rest["next_cursor"] is None
    shown = await client.get(f"/dead-letters/{letters[0]}")
    assert shown.json()["header_names"][-1] == "extra"
    assert shown.json()["value_bytes"] == 6
    revealed = (await client.get(f"/dead-letters/{letters[0]}?reveal=true")).json()
    assert revealed["record"]["headers"][-1]["value_base64"] == text(b"secret \xff")
    for answer in (first, rest, shown.json()):
        assert "secret" not in str(answer)
        assert text(b"secret") not in str(answer)
    for query, expected in {
        f"topic={wrong_key.topic}": letters[1:],
        "code=event.key_mismatch": letters[1:2],
        "state=resolved": [],
        "state=open": letters,
    }.items():
        items = (await client.get(f"/dead-letters?{query}")).json()["items"]
        assert [x["id"] for x in items] == expected
    assert (await client.get("/dead-letters?topic=%00")).status_code == 422
    assert (await client.get(f"/dead-letters/{10**30}")).status_code == 422
    assert (await client.get("/dead-letters/999999")).status_code == 404


async def test_a_header_that_is_not_text_stays_unreadable_until_it_is_fixed(
    client: httpx.AsyncClient, connection: asyncpg.Connection, tell: Tell
) -> None:
    await tell(*WORLD)
    broken = tuple((n, b"\xff" if n == "ce_source" else v) for n, v in HELD.headers)
    (letter,) = await put_aside(connection, HELD._replace(headers=broken))
    tried = await post(client, f"/dead-letters/{letter}:replay")
    assert (tried["result"], tried["letter"]["code"]) == ("failed", "event.bad_envelope")
    body = {"headers": {"ce_source": "nastavnik/activity", "ce_sequence": None}}
    tried = await post(client, f"/dead-letters/{letter}:fix", body)
    assert tried["letter"]["error"] == "header ce_sequence is missing"
    body = {"headers": {"ce_sequence": "1"}}
    assert (await post(client, f"/dead-letters/{letter}:fix", body))["result"] == "applied"
    assert await coverage(client) == 2


async def test_what_newer_code_can_read_is_replayed_all_at_once(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    tell: Tell,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A version that does not know today's values parks them; today's version reads them."""
    await tell(*TREE)
    records = [*map(record, PEOPLE), record(WORLD[-1]), HELD]
    with monkeypatch.context() as older:
        older.setattr(reading, "_state", _refusing(b"version"))
        letters = await put_aside(connection, *records)
    hopeless = (await put_aside(connection, record(PEOPLE[0])._replace(value=b"{")))[-1]
    body = {"code": "event.bad_value", "limit": 3}
    first = await post(client, "/dead-letters:replay", body)
    assert (first["resolved"], first["failed"], first["next_after"]) == (3, 0, letters[2])
    rest = await post(client, "/dead-letters:replay", {**body, "after": first["next_after"]})
    assert (rest["resolved"], rest["failed"], rest["next_after"]) == (2, 1, None)
    assert rest["letters"][-1] == {"id": hopeless, "result": "failed", "code": "event.bad_value"}
    assert await coverage(client) == 2
    again = await post(client, "/dead-letters:replay", {"topic": HELD.topic})
    assert again["letters"] == []


def _refusing(part: bytes) -> Callable[[str, bytes, Any], Any]:
    """The decoder of a version that cannot read values with this in them."""
    whole = reading._state

    def state(topic: str, value: bytes, envelope: Any) -> Any:
        if part in value:
            raise reading.UnreadableError("event.bad_value", "not one of the allowed values")
        return whole(topic, value, envelope)

    return state


async def test_an_old_version_changes_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, tell: Tell
) -> None:
    newer = meeting("meet", "pair", "anna", version=2)
    await tell(*WORLD, newer)
    cells = await connection.fetch("select * from cell order by 1, 2, 3, 4")
    (letter,) = await put_aside(connection, HELD._replace(value=b""))
    body = {"value_base64": text(HELD.value)}
    fixed = await post(client, f"/dead-letters/{letter}:fix", body)
    assert (fixed["result"], fixed["letter"]["state"]) == ("superseded", "resolved")
    assert await connection.fetch("select * from cell order by 1, 2, 3, 4") == cells
    assert await coverage(client) == 1


async def test_a_discarded_letter_is_closed(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    (letter,) = await put_aside(connection, HELD._replace(value=b""))
    assert (await client.post(f"/dead-letters/{letter}:discard", json={})).status_code == 422
    body = {"reason": "a test of the supplier's"}
    assert (await post(client, f"/dead-letters/{letter}:discard", body))["state"] == "discarded"
    refused = await post(client, f"/dead-letters/{letter}:replay", status=409)
    assert refused["code"] == "dead_letter.closed"
    items = (await client.get("/dead-letters?state=discarded")).json()["items"]
    assert [x["id"] for x in items] == [letter]
    (action,) = (await client.get(f"/dead-letters/{letter}/actions")).json()["items"]
    assert (action["result"], action["detail"]) == ("discarded", body["reason"])


async def test_of_two_replays_at_once_one_applies(
    client: httpx.AsyncClient, connection: asyncpg.Connection, tell: Tell
) -> None:
    await tell(*WORLD)
    (letter,) = await put_aside(connection, HELD._replace(value=b""))
    body = {"value_base64": text(HELD.value)}
    answers = await asyncio.gather(
        *(client.post(f"/dead-letters/{letter}:fix", json=body) for _ in range(4))
    )
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409]
    assert await connection.fetchval("select count(*) from dead_letter_copy") == 1
    attendance = await connection.fetch("select held from attendance")
    assert [row["held"] for row in attendance] == [1, 1]


async def test_a_replay_waits_for_the_projectors_batch(
    client: httpx.AsyncClient, connection: asyncpg.Connection, tell: Tell
) -> None:
    """Both bring the same new session: without the positions it would be counted twice."""
    await tell(*WORLD)
    await connection.execute(
        """insert into stream_position
             (topic, partition, cluster_id, next_offset, applied, superseded, parked, skipped)
           values ($1, 0, 'x', 0, 0, 0, 0, 0)""",
        HELD.topic,
    )
    (letter,) = await put_aside(connection, HELD._replace(value=b""))
    body = {"value_base64": text(HELD.value)}
    async with connection.transaction():
        await connection.execute("select 1 from stream_position for update")
        fixing = asyncio.create_task(client.post(f"/dead-letters/{letter}:fix", json=body))
        await asyncio.sleep(0.3)
        assert not fixing.done()
        batch = Batch({(HELD.topic, HELD.partition): 0})
        batch.add([record(next_version(meeting("meet", "pair", "anna", "boris")))])
        await store.apply(connection, batch, Shares(CATALOGUE))
    assert (await fixing).json()["result"] == "superseded"
    attendance = await connection.fetch("select held from attendance")
    assert [row["held"] for row in attendance] == [1, 1]


async def test_what_the_database_refuses_stays_open(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    tell: Tell,
) -> None:
    await tell(*WORLD)
    (letter,) = await put_aside(connection, HELD._replace(value=b""))
    await connection.execute("alter table session add constraint t check (minutes <> 45)")
    try:
        body = {"value_base64": text(HELD.value)}
        tried = await post(client, f"/dead-letters/{letter}:fix", body)
    finally:
        await connection.execute("alter table session drop constraint t")
    assert (tried["result"], tried["letter"]["code"]) == ("failed", "event.not_storable")
    assert (await post(client, f"/dead-letters/{letter}:replay"))["result"] == "applied"


# ---------------------------------------------------------------- through a real broker


@pytest.fixture
async def producer(metrics_settings: MetricsSettings) -> AsyncIterator[AIOKafkaProducer]:
    await kafka.ensure_topics(metrics_settings)
    opened = kafka.create_producer(metrics_settings, "tests")
    await opened.start()
    yield opened
    await opened.stop()


async def send(producer: AIOKafkaProducer, *records: FakeRecord) -> None:
    for r in records:
        await producer.send_and_wait(r.topic, r.value, key=r.key, headers=list(r.headers))


async def test_after_a_surge_somebody_lets_the_projector_go_on(
    metrics_settings: MetricsSettings,
    connection: asyncpg.Connection,
    producer: AIOKafkaProducer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = metrics_settings.model_copy(update={"dead_letter_surge": 2, "batch_records": 1})
    held = [meeting(f"surge{n}", "surge", "late") for n in range(3)]
    late = person("late", "surge")
    known = "select count(*) from participant where id = $1"
    gauge = f'nastavnik_dead_letters_open{{topic="{HELD.topic}"}}'
    await _begin_at_the_end(settings, connection)
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport, base_url="http://metrics", headers=tokens.allowed()
        ) as client,
    ):
        await _until(lambda: _ready(client))
        with monkeypatch.context() as older:
            older.setattr(reading, "_state", _refusing(str(ident("surge")).encode()))
            await send(producer, *map(record, held))
            await _until(lambda: _trouble(client, "dead-letters:resume"))
            await send(producer, record(late))
            await asyncio.sleep(1)
            assert await connection.fetchval(known, late.id) == 0
            await _until(lambda: _measured(client, f"{gauge} 3.0"))
        action = await post(client, "/dead-letters:resume", None, 202)
        await _until(lambda: connection.fetchval(known, late.id))
        await _until(lambda: _ready(client))
        trail = (await client.get("/dead-letters/actions")).json()["items"]
        assert trail == [action]
        told = (action["by"], action["action"], action["letter_id"])
        assert told == (tokens.actor(), "resume", None)
        assert (await post(client, "/dead-letters:replay", {}))["resolved"] == 3
        await _until(lambda: _measured(client, f"{gauge} 0.0"))


async def _begin_at_the_end(settings: MetricsSettings, connection: asyncpg.Connection) -> None:
    """Other tests have left unreadable records in the log."""
    consumer = kafka.create_consumer(settings, None, *TOPICS)
    await consumer.start()
    try:
        partitions = [
            TopicPartition(t, p) for t in TOPICS for p in consumer.partitions_for_topic(t) or ()
        ]
        ends = await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
    cluster = await kafka.cluster_id(settings)
    await connection.executemany(
        """insert into stream_position
             (topic, partition, cluster_id, next_offset, applied, superseded, parked, skipped)
           values ($1, $2, $3, $4, 0, 0, 0, 0)""",
        [(*at, cluster, end) for at, end in ends.items()],
    )


async def _ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/readyz")).json()["checks"]["consumer"] == "ok"  # type: ignore[no-any-return]


async def _trouble(client: httpx.AsyncClient, told: str) -> bool:
    answer = await client.get("/readyz")
    return answer.status_code == 503 and told in answer.json()["checks"]["consumer"]


async def _measured(client: httpx.AsyncClient, line: str) -> bool:
    return line in (await client.get("/metrics")).text


async def _until(what: Any, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await what():  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.1)
