"""Connections that the database ends, in whatever moment: always told as one that is away."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import text

from nastavnik_common import db
from nastavnik_common.settings import Settings
from nastavnik_local.servers import LocalServers

_TERMINATE = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1"


@pytest.fixture
def settings(servers: LocalServers, new_database: Callable[[str], str]) -> Settings:
    return Settings(database_url=new_database("terminated"))


async def test_each_failure_says_that_the_database_is_away(settings: Settings) -> None:
    engine = db.create_engine(settings)
    sessions = db.create_sessions(engine)
    elsewhere = engine.url.set(database="postgres").render_as_string(hide_password=False)
    holder = await db.connect(elsewhere)
    failures: list[Exception] = []
    stop = asyncio.Event()

    async def work() -> None:
        while not stop.is_set():
            try:
                async with sessions.begin() as tx:
                    raw = await db.driver(tx)
                    await raw.execute("create temp table if not exists t (a int)")
                    async with tx.begin_nested():
                        await tx.execute(text("select pg_sleep(0.002)"))
                        await raw.copy_records_to_table("t", records=[(1,)])
            except Exception as error:
                failures.append(error)

    working = [asyncio.create_task(work()) for _ in range(4)]
    while len(failures) < 100:
        await asyncio.sleep(0.02)
        await holder.fetchval(_TERMINATE, engine.url.database)
    stop.set()
    await asyncio.gather(*working)
    await engine.dispose()
    await holder.close()
    unclear = [e for e in failures if not isinstance(e, db.ERRORS) or not db.is_away(e)]
    assert not unclear, {f"{type(e).__name__}: {e}" for e in unclear}
