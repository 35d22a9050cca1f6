"""PostgreSQL and Kafka on this machine: they serve, survive crashes, and leave nothing behind."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from nastavnik_local.brokers import KafkaError
from nastavnik_local.keeper import RootBusyError
from nastavnik_local.local_server import NotOursError
from nastavnik_local.ports import PortBusyError
from nastavnik_local.servers import LocalServers


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServers]:
    with LocalServers.start(tmp_path_factory.mktemp("root"), kafka_port=0, fsync=False) as started:
        yield started


async def sql(servers: LocalServers, database: str, *statements: str) -> object:
    """Run them in one transaction; the last one's only value."""
    engine = create_async_engine(servers.postgres.dsn(database))
    try:
        async with engine.begin() as connection:
            for statement in statements:
                result = await connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        await engine.dispose()


async def produce(servers: LocalServers, topic: str, *values: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    await admin.close()
    idempotent = servers.kafka.idempotent
    async with AIOKafkaProducer(
        bootstrap_servers=servers.kafka.bootstrap, enable_idempotence=idempotent
    ) as producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def consume(servers: LocalServers, topic: str, count: int) -> list[bytes | None]:
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=servers.kafka.bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        async with asyncio.timeout(20):
            return [(await anext(consumer)).value for _ in range(count)]


async def test_both_serve(servers: LocalServers) -> None:
    assert "PostgreSQL 18" in str(await sql(servers, "registry", "SELECT version()"))
    for database in ("activity", "metrics"):
        assert await sql(servers, database, "SELECT current_database()") == database
    assert await sql(servers, "registry", "SELECT lower('ЁЖ')") == "ёж"
    await produce(servers, "greetings", b"one", b"two")
    assert await consume(servers, "greetings", 2) == [b"one", b"two"]


async def test_data_survive_a_crash_on_the_same_address(servers: LocalServers) -> None:
    dsn, bootstrap = servers.postgres.dsn("activity"), servers.kafka.bootstrap
    await sql(servers, "activity", "CREATE TABLE kept AS SELECT 42 AS value")
    await produce(servers, "kept", b"42")
    servers.own_postgres.kill()
    servers.own_kafka.kill()
    servers.check()  # killed by us: no alarm
    servers.own_postgres.restart()
    servers.own_kafka.restart()
    assert (servers.postgres.dsn("activity"), servers.kafka.bootstrap) == (dsn, bootstrap)
    assert await sql(servers, "activity", "SELECT value FROM kept") == 42
    if servers.kafka.flavour == "apache":
        assert await consume(servers, "kept", 1) == [b"42"]


async def test_a_paused_server_hangs_and_goes_on(servers: LocalServers) -> None:
    servers.own_postgres.pause()
    query = asyncio.create_task(sql(servers, "metrics", "SELECT 1"))
    await asyncio.sleep(0.5)
    assert not query.done()
    servers.own_postgres.resume()
    assert await query == 1


def test_a_second_run_on_the_same_root_is_refused(servers: LocalServers) -> None:
    root = servers.keeper.root
    with (
        pytest.raises(RootBusyError, match=rf"{root} is in use by another run \(pid {os.getpid()}"),
        LocalServers.start(root, kafka_port=0),
    ):
        pass


async def test_a_later_run_on_the_same_root_sees_the_data(tmp_path: Path) -> None:
    root = tmp_path / ("so long a name that no unix socket fits beside the data " * 2)
    with LocalServers.start(root, kafka_port=0, fsync=False) as first:
        flavour = first.kafka.flavour
        await sql(first, "metrics", "CREATE TABLE kept AS SELECT 7 AS value")
        await produce(first, "kept", b"7")
        running = psutil.Process().children(recursive=True)
        ours = [p for p in running if first.own_postgres.child.pid in (p.pid, p.ppid())]
        ours += [psutil.Process(first.own_kafka.child.pid)]
    assert not [process for process in ours if process.is_running()]
    with LocalServers.start(root, kafka_port=0, fsync=False) as second:
        assert await sql(second, "metrics", "SELECT value FROM kept") == 7
        if flavour == "apache":
            assert await consume(second, "kept", 1) == [b"7"]


def test_a_busy_port_is_named_with_its_user_and_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(PortBusyError) as raised,
            LocalServers.start(tmp_path, kafka_port=port),
        ):
            pass
    for part in (f"port {port} is already in use", f"(pid {os.getpid()})", "--kafka-port"):
        assert part in str(raised.value)


def test_servers_named_in_the_environment_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka.example:9092")
    monkeypatch.setenv("NASTAVNIK_POSTGRES_DSN", "postgresql+asyncpg://u@db.example/{database}")
    with LocalServers.start(tmp_path) as servers:
        assert servers.kafka.bootstrap == "kafka.example:9092"
        assert servers.postgres.dsn("metrics") == "postgresql+asyncpg://u@db.example/metrics"
        with pytest.raises(NotOursError, match="KAFKA_BOOTSTRAP_SERVERS"):
            servers.own_kafka.kill()


@pytest.fixture
def old_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a Java too old for Kafka."""
    java = tmp_path / "jdk" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.delenv("REQUIRE_APACHE_KAFKA", raising=False)
    monkeypatch.setenv("NASTAVNIK_POSTGRES_DSN", "postgresql+asyncpg://nowhere/{database}")


@pytest.mark.usefixtures("old_java")
async def test_without_a_recent_java_there_is_tansu_and_a_warning(tmp_path: Path) -> None:
    said: list[str] = []
    with LocalServers.start(tmp_path / "root", kafka_port=0, say=said.append) as servers:
        assert (servers.kafka.flavour, servers.kafka.idempotent) == ("tansu", False)
        assert "Java 8, Kafka needs 17" in said[0]
        assert "no compaction, no idempotent producer" in said[0]
        await produce(servers, "greetings", b"one")
        assert await consume(servers, "greetings", 1) == [b"one"]


@pytest.mark.usefixtures("old_java")
def test_apache_kafka_can_be_required(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_APACHE_KAFKA", "1")
    with (
        pytest.raises(KafkaError, match=r"Java 8.*REQUIRE_APACHE_KAFKA is set"),
        LocalServers.start(tmp_path / "root", kafka_port=0),
    ):
        pass
