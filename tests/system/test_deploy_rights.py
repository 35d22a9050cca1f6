"""Least rights: what each service may do is enough for its work, and no more.

On servers set up by the scripts that docker compose mounts.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from nastavnik_common import db, kafka
from nastavnik_common.settings import KafkaSettings, Settings
from nastavnik_local.jars import NoApacheKafkaError, java
from nastavnik_local.ports import free_port
from nastavnik_local.scenario_api import Api, Urls
from tests.system.guarded import SERVICES, Guarded, guarded
from tests.system.helpers import World, readiness, until, until_figures

pytestmark = pytest.mark.drill

NO_RIGHT = asyncpg.InsufficientPrivilegeError


@pytest.fixture(scope="module")
def servers() -> Iterator[Guarded]:
    try:
        java()
    except NoApacheKafkaError as error:
        pytest.skip(f"needs Apache Kafka: {error}")
    with tempfile.TemporaryDirectory(prefix="nastavnik-") as root, guarded(Path(root)) as made:
        migrations = [
            made.run(f"{name}-migrate", f"nastavnik_{name}", "migrate", env=owner(made, name))
            for name in SERVICES
        ]
        rights = made.run("rights", "nastavnik_common.kafka_rights", env=made.kafka("admin"))
        for child in (*migrations, rights):
            assert child.wait(60) == 0, child.log_tail()
        yield made


def owner(made: Guarded, name: str) -> dict[str, str]:
    return {"NASTAVNIK_DATABASE_URL": made.database(name, f"{name}_owner")}


def client(made: Guarded, user: str, monkeypatch: pytest.MonkeyPatch) -> KafkaSettings:
    for name, value in made.kafka(user).items():
        monkeypatch.setenv(name, value)
    return KafkaSettings()


@pytest.fixture(scope="module")
async def api(servers: Guarded) -> AsyncIterator[Api]:
    """The three services, each with its own rights only."""
    ports = {name: free_port() for name in SERVICES}
    urls = Urls(**{name: f"http://127.0.0.1:{port}" for name, port in ports.items()})
    children = []
    for name, port in ports.items():
        env = {
            **servers.kafka(name),
            "NASTAVNIK_DATABASE_URL": servers.database(name, name),
            "NASTAVNIK_PORT": str(port),
            "NASTAVNIK_IMPORT_DIR": str(servers.keeper.root / "imports"),
        }
        children.append(servers.run(name, f"nastavnik_{name}", "serve", env=env))
    for name, child in zip(SERVICES, children, strict=True):
        url = getattr(urls, name)
        await until(lambda url=url: _ready(url), saw=child.log_tail)  # type: ignore[misc]
    async with Api.connect(urls) as connected:
        yield connected
    for child in children:
        await asyncio.to_thread(child.stop)


async def _ready(url: str) -> bool:
    return await readiness(url) == (200, {})


async def test_the_services_can_do_their_work(api: Api) -> None:
    """People and sessions become figures, a rebuild agrees with them, and the audit is clean."""
    world = await World(api).build(pupils=4, pairs=1)
    await world.log(3, start=1)
    await until_figures(api, world.units, (2, 4))
    metrics = api.client("metrics")
    started = await metrics.post("/admin/rebuild")
    assert started.status_code in (200, 202), started.text

    async def done() -> bool:
        return (await metrics.get("/rebuild")).json()["state"] not in ("reading", "comparing")

    await until(done)
    rebuilt = (await metrics.get("/rebuild")).json()
    assert rebuilt["state"] == "done", rebuilt
    audited = (await metrics.post("/admin/audit")).json()
    assert audited["drift"] == 0, audited


@pytest.mark.parametrize(
    ("user", "topic"),
    [
        ("registry", "nastavnik.participants"),
        ("activity", "nastavnik.sessions"),
        ("activity", "nastavnik.participants.dlq"),
        ("metrics", "nastavnik.indicators"),
        ("metrics", "nastavnik.sessions.dlq"),
    ],
)
async def test_a_service_may_write_its_own_topic(
    servers: Guarded, monkeypatch: pytest.MonkeyPatch, user: str, topic: str
) -> None:
    await _write(client(servers, user, monkeypatch), topic)


@pytest.mark.parametrize(
    ("user", "topic"),
    [
        ("registry", "nastavnik.sessions"),
        ("registry", "nastavnik.sessions.dlq"),
        ("activity", "nastavnik.participants"),
        ("activity", "nastavnik.sessions.dlq"),
        ("metrics", "nastavnik.sessions"),
        ("reader", "nastavnik.indicators"),
    ],
)
async def test_a_service_may_not_write_another_ones_topic(
    servers: Guarded, monkeypatch: pytest.MonkeyPatch, user: str, topic: str
) -> None:
    # who may write no topic at all is refused before the first record
    with pytest.raises((TopicAuthorizationFailedError, ClusterAuthorizationFailedError)):
        await _write(client(servers, user, monkeypatch), topic)


async def _write(settings: KafkaSettings, topic: str) -> None:
    producer = kafka.create_producer(settings, "test")
    try:
        await producer.start()
        # a tombstone of nothing: whoever reads it parks it, or drops it
        await producer.send_and_wait(topic, None, key=b"rights", partition=0)
    finally:
        await producer.stop()


async def test_a_service_may_not_read_or_join_what_is_not_its_own(
    servers: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = client(servers, "activity", monkeypatch)
    for group, topic, refused in (
        (None, "nastavnik.indicators", TopicAuthorizationFailedError),
        ("nastavnik-metrics", "nastavnik.participants", GroupAuthorizationFailedError),
    ):
        consumer = kafka.create_consumer(settings, group, topic)
        try:
            with pytest.raises(refused):
                await _read(consumer)
        finally:
            await consumer.stop()


async def _read(consumer: AIOKafkaConsumer) -> None:
    await consumer.start()
    await asyncio.wait_for(consumer.getone(), 10)


async def test_a_stranger_is_not_let_in(servers: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    known = client(servers, "registry", monkeypatch)
    strangers = (
        known.model_copy(update={"kafka_username": "activity"}),  # with registry's password
        known.model_copy(update={"kafka_security_protocol": "PLAINTEXT"}),
        known.model_copy(update={"kafka_ca_file": None}),  # does not know the authority
    )
    for settings in strangers:
        with pytest.raises(KafkaError):
            await kafka.cluster_id(settings)
    assert await kafka.cluster_id(known)


async def test_a_service_neither_makes_tables_nor_sees_another_ones(servers: Guarded) -> None:
    for name in SERVICES:
        connection = await db.connect(servers.database(name, name))
        try:
            for forbidden in (
                "create table public.mine (id int)",
                "alter table outbox add column mine int",
                "drop table outbox",
                "truncate outbox",
                "create role other",
            ):
                with pytest.raises(NO_RIGHT):
                    await connection.execute(forbidden)
        finally:
            await connection.close()
        for other in {*SERVICES} - {name}:
            with pytest.raises(NO_RIGHT):
                await db.connect(servers.database(other, name))


def test_a_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("p@ss/word:#\n")
    monkeypatch.setenv("NASTAVNIK_DATABASE_URL", "postgresql+asyncpg://registry@db/registry")
    monkeypatch.setenv("NASTAVNIK_DATABASE_PASSWORD_FILE", str(secret))
    found = Settings()
    assert found.database_url == "postgresql+asyncpg://registry:p%40ss%2Fword%3A%23@db/registry"
    assert "p@ss" not in repr(found.database_password)
