"""Answers stored under an Idempotency-Key: kept for days, then forgotten, little by little."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import MetaData, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

import nastavnik_activity.app
import nastavnik_metrics.app
import nastavnik_registry.app
from nastavnik_common import clock, db, idempotency
from nastavnik_common.settings import Settings
from nastavnik_local.servers import LocalServers
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_registry.settings import RegistrySettings
from tests.system.helpers import until

TABLE = idempotency.idempotency_table(MetaData())
WEEK = timedelta(days=7)
SERVICES: dict[str, tuple[Any, Any]] = {
    "registry": (nastavnik_registry.app.create_app, RegistrySettings),
    "activity": (nastavnik_activity.app.create_app, Settings),
    "metrics": (nastavnik_metrics.app.create_app, MetricsSettings),
}


def row(key: str, age: timedelta) -> dict[str, Any]:
    created = clock.now() - age
    stored = {"fingerprint": b"f", "status": 201, "headers": "{}", "body": b"{}"}
    return {"key": key, "created_at": created, **stored}


@pytest.fixture
def database(new_database: Callable[[str], str]) -> str:
    return new_database("answers")


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    made = db.create_engine(Settings(database_url=database))
    async with made.begin() as connection:
        await connection.run_sync(TABLE.metadata.create_all)
    yield made
    await made.dispose()


async def test_old_answers_go_in_small_steps_and_young_ones_stay(engine: AsyncEngine) -> None:
    sessions = db.create_sessions(engine)
    old = [row(f"old-{n}", WEEK + timedelta(minutes=1)) for n in range(25)]
    young = [row(f"young-{n}", WEEK - timedelta(minutes=1)) for n in range(5)]
    async with sessions.begin() as tx:
        await tx.execute(insert(TABLE), old + young)
    async with sessions.begin() as busy:  # whoever holds a row is not waited for
        await busy.execute(select(TABLE.c.key).where(TABLE.c.key == "old-3").with_for_update())
        async with asyncio.timeout(10):
            assert await idempotency.prune(sessions, TABLE, WEEK, chunk=10) == 24
    gone = await asyncio.gather(
        *(idempotency.prune(sessions, TABLE, WEEK, chunk=10) for _ in range(3))
    )
    assert sum(gone) == 1
    async with sessions() as tx:
        kept = (await tx.execute(select(TABLE.c.key))).scalars().all()
    assert sorted(kept) == [f"young-{n}" for n in range(5)]


@pytest.mark.parametrize("name", SERVICES)
async def test_every_service_forgets_in_the_background(
    name: str, servers: LocalServers, database: str
) -> None:
    create_app, kind = SERVICES[name]
    settings = kind(
        database_url=database,
        kafka_bootstrap_servers=servers.kafka.bootstrap,
        kafka_idempotence=servers.kafka.idempotent,
        idempotency_days=2,
    )
    await asyncio.to_thread(db.migrate, settings, f"nastavnik_{name}")
    engine = db.create_engine(settings)
    async with engine.begin() as connection:
        rows = [row("old", timedelta(days=3)), row("young", timedelta(days=1))]
        await connection.execute(insert(TABLE), rows)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        await until(lambda: _only_young(engine))
    await engine.dispose()


async def _only_young(engine: AsyncEngine) -> bool:
    return await _keys(engine) == ["young"]


async def _keys(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list((await connection.execute(text("select key from idempotency"))).scalars())
