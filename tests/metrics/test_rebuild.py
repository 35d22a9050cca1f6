"""A rebuild on the real broker: from the log, beside the live figures, and in one step."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer

from nastavnik_common import db, events, kafka
from nastavnik_metrics import rebuild_tables
from nastavnik_metrics.batch import Batch
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.rebuild import Progress, Rebuilder
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.shares import Shares
from nastavnik_metrics.store import apply
from tests.metrics.conftest import CATALOGUE, empty
from tests.metrics.test_figures_are_exact import stored_cells
from tests.metrics.test_projector import figure, region, send, service, until
from tests.metrics.world import ident, meeting, person, record, tombstone


@pytest.fixture
async def producer(metrics_settings: MetricsSettings) -> AsyncIterator[AIOKafkaProducer]:
    await kafka.ensure_topics(metrics_settings)
    opened = kafka.create_producer(metrics_settings, "tests")
    await opened.start()
    yield opened
    await opened.stop()


async def settled(client: httpx.AsyncClient) -> None:
    """Everything sent is counted."""

    async def done() -> bool:
        found = (await client.get("/accounting")).json()
        return bool(found["topics"]) and all(t["pending"] == 0 for t in found["topics"])

    await until(done)


async def rebuilt(client: httpx.AsyncClient, **how: bool) -> Any:
    response = await client.post("/admin/rebuild", params=how)
    assert response.status_code == 202, response.text

    async def ended() -> Any:
        found = (await client.get("/rebuild")).json()
        return found if found["ended"] else None

    return await until(ended, 60)


async def announced(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("select count(*) from value_change"))


async def told(producer: AIOKafkaProducer, client: httpx.AsyncClient, tag: str) -> None:
    held = meeting(f"{tag}meet", f"{tag}pair", f"{tag}anna", f"{tag}boris")
    await send(producer, *map(record, [*region(tag), held]))
    await until(lambda: _is(client, f"{tag}region", (2, 3, 66.67)))
    await settled(client)


async def _is(client: httpx.AsyncClient, name: str, expected: Any) -> bool:
    return bool(await figure(client, name) == expected)


async def test_right_figures_are_left_as_they_are(
    metrics_settings: MetricsSettings, connection: asyncpg.Connection, producer: AIOKafkaProducer
) -> None:
    async with service(metrics_settings) as client:
        await told(producer, client, "rba")
        await asyncio.sleep(1.5)  # the announcer's last round
        before, values = await stored_cells(connection), await announced(connection)
        found = await rebuilt(client)
        assert (found["state"], found["error"]) == ("done", None)
        assert found["report"] == {"cells": 0, "by_measure": {}, "sample": [], "lost": {}}
        assert "cell" not in found["replaced"]
        await asyncio.sleep(1.5)
        assert await announced(connection) == values
        assert await stored_cells(connection) == before
    assert not await connection.fetchval("select to_regnamespace('rebuild') is not null")


async def test_wrong_figures_are_compared_then_put_right(
    metrics_settings: MetricsSettings, connection: asyncpg.Connection, producer: AIOKafkaProducer
) -> None:
    async with service(metrics_settings) as client:
        await told(producer, client, "rbb")
        right = await stored_cells(connection)
        school = ident("rbbschool")
        await connection.execute(
            "update cell set value = value + 40 where organization_id = $1"
            " and measure = 'engaged.students'",
            school,
        )
        await connection.execute("delete from attendance")
        await connection.execute("delete from participant where id = $1", ident("rbbvera"))
        compared = await rebuilt(client, dry_run=True)
        assert compared["state"] == "compared"
        assert compared["report"]["by_measure"].keys() == {"engaged.students"}
        assert {c["live"] - c["rebuilt"] for c in compared["report"]["sample"]} == {40}
        assert await stored_cells(connection) != right
        values = await announced(connection)
        found = await rebuilt(client)
        assert (found["state"], found["report"]) == ("done", compared["report"])
        assert found["replaced"]["participant"] == 1
        assert await stored_cells(connection) == right
        assert (await client.post("/admin/audit")).json()["drift"] == 0
        assert await figure(client, "rbbregion") == (2, 3, 66.67)
        await asyncio.sleep(1.5)
        assert await announced(connection) == values, "no value differs from what was announced"


async def test_readers_and_the_projector_go_on_meanwhile(
    metrics_settings: MetricsSettings, connection: asyncpg.Connection, producer: AIOKafkaProducer
) -> None:
    async with service(metrics_settings) as client:
        await told(producer, client, "rbc")
        await connection.execute("update cell set value = value + 7 where measure like 'sess%'")
        building = asyncio.create_task(rebuilt(client))
        seen, n = set(), 0
        while not building.done():
            seen.add(await figure(client, "rbcregion"))
            await send(producer, record(person(f"rbcnew{n}", "rbcworks")))
            n += 1
        assert (await building)["state"] == "done"
        assert seen == {(2, 3, 66.67)}
        await settled(client)
        everybody = await connection.fetchval(
            "select count(*) from participant where id = any($1)",
            [ident(f"rbcnew{i}") for i in range(n)],
        )
        assert everybody == n
        assert (await client.post("/admin/audit")).json()["drift"] == 0
        assert (await client.post("/admin/accounting")).json()["closes"]


async def test_what_the_log_no_longer_has_is_not_thrown_away(
    metrics_settings: MetricsSettings, connection: asyncpg.Connection, producer: AIOKafkaProducer
) -> None:
    async with service(metrics_settings) as client:
        await told(producer, client, "rbd")
        gone = tombstone(events.PARTICIPANT, ident("rbdlongago"), 9)
        for kept in (record(person("rbdlost", "rbdschool")), gone):
            batch = Batch({(kept.topic, 0): 0})
            batch.add([kept])
            async with connection.transaction():
                await apply(connection, batch, Shares(CATALOGUE))
        before = await stored_cells(connection)
        found = await rebuilt(client)
        assert found["state"] == "refused"
        assert found["report"]["lost"] == {"participant": 1}
        assert await stored_cells(connection) == before
        found = await rebuilt(client, accept_loss=True)
        assert found["state"] == "done"
        assert await figure(client, "rbdregion") == (2, 3, 66.67)
        marker = await connection.fetchrow(
            "select version, deleted from participant where id = $1", ident("rbdlongago")
        )
        assert tuple(marker or ()) == (9, True)


async def test_a_corrected_dead_letter_outlives_a_rebuild(
    metrics_settings: MetricsSettings, connection: asyncpg.Connection, producer: AIOKafkaProducer
) -> None:
    good = record(person("rbefourth", "rbeschool"))
    async with service(metrics_settings) as client:
        await told(producer, client, "rbe")
        await send(producer, good._replace(value=b"{not json"))
        find = "select id from dead_letter where value = $1 and key = $2 order by id desc"
        letter = await until(lambda: connection.fetchval(find, b"{not json", good.key))
        assert good.value is not None
        fix = {"value_base64": base64.b64encode(good.value).decode()}
        fixed = await client.post(f"/dead-letters/{letter}:fix", json=fix)
        assert fixed.status_code == 200, fixed.text
        await until(lambda: _is(client, "rberegion", (2, 4, 50.0)))
        found = await rebuilt(client)
        assert (found["state"], found["report"]["lost"]) == ("done", {})
        assert await figure(client, "rberegion") == (2, 4, 50.0)
        accounts = (await client.post("/admin/accounting")).json()
        assert accounts["closes"], accounts
        assert sum(topic["parked"] for topic in accounts["topics"]) >= 1


@pytest.fixture
async def wrong(
    metrics_settings: MetricsSettings, connection: asyncpg.Connection, producer: AIOKafkaProducer
) -> Any:
    """Live figures that a rebuild would change, and nothing running."""
    async with service(metrics_settings) as client:
        await told(producer, client, "rbf")
    await connection.execute("update cell set value = value + 1")
    return await stored_cells(connection)


MOMENTS: dict[str, Callable[..., Any]] = {
    "while reading": lambda r: (r, "_read"),
    "while comparing": lambda r: (rebuild_tables, "compare"),
    "after taking over, before the commit": lambda r: (rebuild_tables, "take_over"),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_crash_changes_nothing_and_the_next_start_cleans_up(
    moment: str,
    wrong: Any,
    metrics_settings: MetricsSettings,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rebuilder = Rebuilder(metrics_settings, Definitions(None))
    where, name = MOMENTS[moment](rebuilder)
    original = getattr(where, name)

    async def crash(*given: Any) -> None:
        await original(*given)
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )

    with monkeypatch.context() as patched:
        patched.setattr(where, name, crash)
        assert (await asked(rebuilder)).state == "failed"
    assert await stored_cells(connection) == wrong
    assert await connection.fetchval("select to_regnamespace('rebuild') is not null")
    running = asyncio.create_task(Rebuilder(metrics_settings, Definitions(None)).run())
    try:
        await until(lambda: connection.fetchval("select to_regnamespace('rebuild') is null"))
    finally:
        running.cancel()
    done = await asked(rebuilder)
    assert done.state == "done"
    assert done.report is not None
    assert done.report.cells >= len(wrong)
    assert await stored_cells(connection) != wrong


async def asked(rebuilder: Rebuilder, **how: bool) -> Progress:
    rebuilder.ask(**how)
    return await rebuilder.rebuild()


async def test_one_rebuild_at_a_time_and_only_from_the_log_of_the_figures(
    wrong: Any, metrics_settings: MetricsSettings, connection: asyncpg.Connection
) -> None:
    first, second = (Rebuilder(metrics_settings, Definitions(None)) for _ in range(2))
    both = await asyncio.gather(asked(first), asked(second))
    assert sorted(p.state for p in both) == ["done", "failed"]
    async with service(metrics_settings) as client:
        other = await db.connect(metrics_settings.database_url)
        await other.execute("select pg_advisory_lock(hashtext('nastavnik_rebuild'))")
        assert "Another replica" in (await rebuilt(client))["error"]
        await other.close()
    await connection.execute("update stream_position set cluster_id = 'another'")
    failed = await asked(first)
    assert "not counted from this log" in str(failed.error)
    await empty(connection)
