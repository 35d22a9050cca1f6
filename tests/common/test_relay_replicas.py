"""Several relays on one outbox, writers at work, the leader killed: nothing lost, order kept."""

import asyncio
import contextlib
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, text

from nastavnik_common import db, kafka, outbox
from nastavnik_common.settings import Settings
from nastavnik_local.servers import LocalServers
from tests.common import relay_process
from tests.system.helpers import until

KEYS = [f"thing-{n}" for n in range(12)]
METADATA = MetaData()
OUTBOX = outbox.outbox_table(METADATA)
THING = Table(
    "thing",
    METADATA,
    Column("key", String, primary_key=True),
    Column("version", Integer, nullable=False),
)


@pytest.fixture
def settings(servers: LocalServers, new_database: Callable[[str], str]) -> Settings:
    return Settings(
        database_url=new_database("relays"),
        kafka_bootstrap_servers=servers.kafka.bootstrap,
        kafka_idempotence=servers.kafka.idempotent,
    )


@pytest.fixture
async def sessions(settings: Settings) -> AsyncIterator[db.Sessions]:
    engine = db.create_engine(settings)
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
        await connection.execute(insert(THING), [{"key": key, "version": 0} for key in KEYS])
    yield db.create_sessions(engine)
    await engine.dispose()


@pytest.fixture
async def topic(settings: Settings) -> str:
    """One that nobody else reads."""
    name = f"tests.relay.{uuid4()}"
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(name, 3, 1)])
    await admin.close()
    return name


@contextlib.contextmanager
def relay(settings: Settings, name: str) -> Iterator[subprocess.Popen[bytes]]:
    module, given = relay_process.__name__, settings.model_dump_json()
    with subprocess.Popen([sys.executable, "-m", module, name, given]) as process:
        try:
            yield process
        finally:
            process.kill()


async def write(sessions: db.Sessions, topic: str, stop: asyncio.Event) -> None:
    """Next versions of things, as commands write them; some transactions are given up."""
    while not stop.is_set():
        chosen = sorted(random.sample(KEYS, 2))
        with contextlib.suppress(ZeroDivisionError):
            async with sessions.begin() as tx:
                for key in chosen:
                    version = await tx.scalar(
                        text(
                            "update thing set version = version + 1 where key = :key"
                            " returning version"
                        ),
                        {"key": key},
                    )
                    row = (topic, key, key, b"[]", str(version).encode())
                    named = dict(zip(outbox.Outbox.columns, row, strict=True))
                    await tx.execute(insert(OUTBOX), named)
                await tx.execute(text(f"select pg_notify('{outbox.CHANNEL}', '')"))
                if random.random() < 0.1:
                    raise ZeroDivisionError  # the client's fault
        await asyncio.sleep(0.005)


async def leaders(sessions: db.Sessions) -> set[str]:
    """Who holds the leader's lock in this database at the moment."""
    async with sessions() as tx:
        found = await tx.execute(
            text(
                """select application_name from pg_locks join pg_stat_activity using (pid)
                   where locktype = 'advisory' and granted and datname = current_database()"""
            )
        )
        return set(found.scalars())


async def until_leading(sessions: db.Sessions, name: str) -> None:
    async with asyncio.timeout(30):
        found: set[str] = set()
        while name not in found:
            found = await leaders(sessions)
            assert len(found) <= 1
            await asyncio.sleep(0.001)


async def published(settings: Settings, topic: str) -> dict[str, list[int]]:
    """The versions of every key, in the order of the log."""
    found: dict[str, list[int]] = defaultdict(list)
    partitions = [TopicPartition(topic, n) for n in range(3)]
    consumer = kafka.create_consumer(settings, None)
    await consumer.start()
    try:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    found[record.key.decode()].append(int(record.value))
    finally:
        await consumer.stop()
    return found


async def test_relays_whose_leader_is_killed_twice(
    settings: Settings, sessions: db.Sessions, topic: str
) -> None:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(write(sessions, topic, stop))
        names = ("first", "second", "third")
        with contextlib.ExitStack() as stack:
            relays = {name: stack.enter_context(relay(settings, name)) for name in names}
            for name in names:
                await until_leading(sessions, name)
            for victim, heirs in (("first", names[1:]), ("second", names[2:])):
                await until_leading(sessions, victim)
                relays[victim].kill()
                relays[victim].wait()
                for heir in heirs:
                    await until_leading(sessions, heir)
            stop.set()
            await until(lambda: _empty(sessions))
    async with sessions() as tx:
        rows = (await tx.execute(text("select key, version from thing"))).all()
    found = await published(settings, topic)
    assert {key: max(found[key]) for key, _ in rows} == dict(rows)
    assert min(version for _, version in rows) > 10
    for key, versions in found.items():
        highest = 0
        for version in versions:
            # what the dead had sent may come twice; nothing comes before what precedes it
            assert version <= highest + 1, (key, versions)
            highest = max(highest, version)


async def _empty(sessions: db.Sessions) -> bool:
    async with sessions() as tx:
        return not await tx.scalar(text("select exists (select from outbox)"))
