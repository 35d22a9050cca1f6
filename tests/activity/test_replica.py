"""The registry's events become the replica: by version, in any order, whatever they hold."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI

from nastavnik_activity import replica
from nastavnik_activity.app import create_app
from nastavnik_common import events, kafka
from nastavnik_common.settings import Settings
from nastavnik_local.servers import LocalServers
from tests import tokens
from tests.activity import make


async def apply(app: FastAPI, *records: make.Record) -> replica.Applied:
    async with app.state.service.sessions.begin() as tx:
        return await replica.apply(tx, records)


async def test_the_highest_version_wins(app: FastAPI, connection: asyncpg.Connection) -> None:
    one, two = uuid4(), uuid4()
    done = await apply(
        app,
        make.record(make.participant(one, 3)),
        make.record(make.participant(one, 2)),
        make.record(make.tombstone(two, 5)),
        make.record(make.participant(two, 4)),
        make.record(make.organization(uuid4())),
    )
    topic = "nastavnik.participants"
    assert done.outcomes == {
        ("nastavnik.organizations", "applied"): 1,
        ("nastavnik.organizations", "stale"): 0,
        (topic, "applied"): 2,
        (topic, "stale"): 2,
    }
    newer = make.record(make.participant(one, 9))
    newer.headers = [
        (name, b"nastavnik.participant.promoted.v7" if name == "ce_type" else value)
        for name, value in newer.headers
    ]
    assert (await apply(app, newer)).outcomes == {(topic, "unknown"): 1}
    again = await apply(app, make.record(make.participant(two, 4)))
    assert again.outcomes == {(topic, "applied"): 0, (topic, "stale"): 1}
    rows = await connection.fetch("select id, version, deleted from replica_participant")
    assert {tuple(row) for row in rows} == {(one, 3, False), (two, 5, True)}


def _broken() -> list[tuple[str, make.Record]]:
    def record(**changed: object) -> make.Record:
        made = make.record(make.participant(uuid4()))
        headers = dict(made.headers)
        for name, value in changed.items():
            if name in ("key", "value"):
                setattr(made, name, value)
            elif value is None:
                headers.pop(name)
            else:
                assert isinstance(value, bytes)
                headers[name] = value
        made.headers = list(headers.items())
        return made

    state = b'{"id": "%s", "version": 1}' % str(uuid4()).encode()
    return [
        ("event.bad_envelope", record(ce_id=None)),
        ("event.bad_envelope", record(ce_source=b"\xff\x00 secret")),
        ("event.bad_envelope", record(ce_sequence=b"secret")),
        ("event.bad_envelope", record(ce_sequence=b"9" * 5000)),
        ("event.bad_envelope", record(ce_sequence=b"9" * 30)),
        ("event.bad_envelope", record(ce_subject=b"secret")),
        ("event.key_mismatch", record(key=None)),
        ("event.key_mismatch", record(key=b"\x00\xff secret")),
        ("event.bad_value", record(value=b"")),
        ("event.bad_value", record(value=b"secret")),
        ("event.bad_value", record(value=b"[" * 5000)),
        ("event.bad_value", record(value=b'{"id": "secret"}')),
        ("event.identity_mismatch", record(value=state)),
    ]


async def test_what_cannot_be_read_is_parked_once_and_the_rest_goes_on(
    app: FastAPI, connection: asyncpg.Connection
) -> None:
    good = uuid4()
    records = [record for _, record in _broken()]
    for offset, record in enumerate(records):
        record.offset = offset
    for _ in range(2):
        done = await apply(app, *records, make.record(make.participant(good)))
        assert done.outcomes[("nastavnik.participants", "parked")] == len(records)
    letters = await connection.fetch("select code, error, value from dead_letter order by id")
    assert [row["code"] for row in letters] == [code for code, _ in _broken()]
    assert not any("secret" in row["error"] for row in letters)
    topics = await connection.fetch("select topic, count(*) from outbox group by 1")
    assert [tuple(row) for row in topics] == [("nastavnik.participants.dlq", len(records))]
    assert await connection.fetchval("select id from replica_participant") == good


# ---------------------------------------------------------------- through a real broker


@pytest.fixture
async def producer(settings: Settings, servers: LocalServers) -> AsyncIterator[AIOKafkaProducer]:
    await kafka.ensure_topics(settings)
    made = kafka.create_producer(settings, "test")
    await made.start()
    yield made
    await made.stop()


async def send(producer: AIOKafkaProducer, record: make.Record) -> None:
    await producer.send_and_wait(
        record.topic, record.value, key=record.key, headers=record.headers, partition=0
    )


async def until(connection: asyncpg.Connection, query: str, expected: object) -> None:
    deadline = time.monotonic() + 60
    while (found := await connection.fetchval(query)) != expected:
        assert time.monotonic() < deadline, f"{query}: {found}, not {expected}"
        await asyncio.sleep(0.05)


def among(people: list[UUID]) -> str:
    """How many of the people the replica knows."""
    idents = ", ".join(f"'{ident}'" for ident in people)
    return f"select count(*) from replica_participant where id in ({idents})"


async def ready(client: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + 60
    while (answer := await client.get("/readyz")).status_code != 200:
        assert time.monotonic() < deadline, answer.text
        await asyncio.sleep(0.1)


async def test_through_kafka_nothing_is_lost_or_skipped(
    settings: Settings,
    app: FastAPI,
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    producer: AIOKafkaProducer,
) -> None:
    people = [uuid4() for _ in range(300)]
    mine = among(people)
    for ident in people[:100]:
        await send(producer, make.record(make.participant(ident)))
    async with app.router.lifespan_context(app):
        await ready(client)
        await until(connection, mine, 100)

        # a database that refuses delays, and loses nothing
        await connection.execute("alter table replica_participant rename to elsewhere")
        for ident in people[100:200]:
            await send(producer, make.record(make.participant(ident)))
        deadline = time.monotonic() + 30
        while "does not get through" not in (await client.get("/readyz")).text:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        await connection.execute("alter table elsewhere rename to replica_participant")
        await until(connection, mine, 200)

        # poison goes aside, its neighbours go on, a tombstone leaves its marker
        # (a compacted topic takes no record without a key)
        poison = [record for _, record in _broken() if record.key is not None]
        for record in poison:
            await send(producer, record)
        await send(producer, make.record(make.tombstone(people[0], 2)))
        for ident in people[200:]:
            await send(producer, make.record(make.participant(ident)))
        await until(connection, mine, 300)
        await until(connection, "select count(*) from dead_letter", len(poison))
        await until(connection, f"{mine} and deleted", 1)
        await ready(client)
        metrics = (await client.get("/metrics")).text
        labels = 'code="event.key_mismatch",topic="nastavnik.participants"'
        assert f"nastavnik_dead_letters_total{{{labels}}} 1.0" in metrics

    # started again it goes on where it was: the parked ones do not come back
    another = create_app(settings)
    async with another.router.lifespan_context(another):
        last = uuid4()
        await send(producer, make.record(make.participant(last)))
        found = f"select count(*) from replica_participant where id = '{last}'"
        await until(connection, found, 1)
        assert await connection.fetchval("select count(*) from dead_letter") == len(poison)


async def test_two_share_the_work_and_one_may_leave(
    settings: Settings,
    connection: asyncpg.Connection,
    producer: AIOKafkaProducer,
) -> None:
    people = [uuid4() for _ in range(600)]

    async def tell(idents: list[UUID]) -> None:
        for ident in idents:
            made = make.record(make.participant(ident))
            partition = kafka.partition_for(str(ident), settings.kafka_partitions)
            await producer.send(
                made.topic, made.value, key=made.key, headers=made.headers, partition=partition
            )
            await asyncio.sleep(0.005)
        await producer.flush()

    telling = asyncio.create_task(tell(people))
    first, second = create_app(settings), create_app(settings)
    async with second.router.lifespan_context(second):
        async with first.router.lifespan_context(first):
            await until(connection, among(people[:200]), 200)
        await telling
        await until(connection, among(people), 600)
    assert await connection.fetchval("select count(*) from dead_letter") == 0


async def test_events_reach_kafka_in_the_mentorships_partition(
    settings: Settings,
    app: FastAPI,
    client: httpx.AsyncClient,
    school: make.School,
    producer: AIOKafkaProducer,
) -> None:
    async with app.router.lifespan_context(app):
        made = await client.post("/mentorships", json=school.pair(active_from="2025-09-01"))
        ident = made.json()["id"]
        logged = await client.post("/sessions", json=make.session(ident))
        await client.delete(f"/sessions/{logged.json()['id']}")
        consumer = kafka.create_consumer(settings, None, events.SESSION.topic)
        await consumer.start()
        try:
            first = await asyncio.wait_for(consumer.getone(), 30)
            second = await asyncio.wait_for(consumer.getone(), 30)
        finally:
            await consumer.stop()
    expected = kafka.partition_for(ident, settings.kafka_partitions)
    assert [record.partition for record in (first, second)] == [expected] * 2
    assert first.key == second.key == logged.json()["id"].encode()
    assert second.value is None
    assert dict(second.headers)["ce_sequence"] == b"2"


async def test_it_serves_while_kafka_is_away(settings: Settings, connection: object) -> None:
    away = settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    app = create_app(away)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport, base_url="http://activity", headers=tokens.allowed()
        ) as client,
    ):
        assert (await client.get("/forms")).status_code == 200
        await asyncio.sleep(0.5)
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        checks = answer.json()["checks"]
        assert checks["database"] == "ok"
        assert "Kafka" in checks["consumer"]
        assert "Kafka" in checks["kafka"]
