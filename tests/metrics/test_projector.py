"""The projector on the real broker: from a record to a figure, with everything that goes wrong."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from nastavnik_common import db, events, kafka
from nastavnik_metrics.app import create_app
from nastavnik_metrics.settings import MetricsSettings
from tests import tokens
from tests.metrics.conftest import empty
from tests.metrics.world import (
    FakeRecord,
    ident,
    meeting,
    next_version,
    pair,
    person,
    record,
    school,
    tombstone,
    unit,
)


@pytest.fixture(scope="module")
async def producer(metrics_settings: MetricsSettings) -> AsyncIterator[AIOKafkaProducer]:
    await kafka.ensure_topics(metrics_settings)
    opened = kafka.create_producer(metrics_settings, "tests")
    await opened.start()
    yield opened
    await opened.stop()


async def send(producer: AIOKafkaProducer, *records: FakeRecord) -> None:
    for r in records:
        await producer.send_and_wait(r.topic, r.value, key=r.key, headers=list(r.headers))


@contextlib.asynccontextmanager
async def service(settings: MetricsSettings) -> AsyncIterator[httpx.AsyncClient]:
    """The whole service: consumer, announcer, relay, HTTP."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://metrics", headers=tokens.allowed()
        ) as client:
            yield client


async def until(what: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true answer."""
    async with asyncio.timeout(seconds):
        while True:
            found = await what()
            if found:
                return found
            await asyncio.sleep(0.05)


async def figure(client: httpx.AsyncClient, name: str, code: str = "coverage.students") -> Any:
    response = await client.get(
        f"/indicators/{code}/values",
        params={"unit": str(ident(name)), "school_year": "2026/27"},
    )
    if response.status_code != 200:
        return None
    value = response.json()["items"][0]
    return value["numerator"], value["denominator"], value["value"]


def region(tag: str) -> list[Any]:
    return [
        unit(f"{tag}region", "region"),
        unit(f"{tag}town", "municipality", f"{tag}region"),
        school(f"{tag}school", f"{tag}town"),
        person(f"{tag}anna", f"{tag}school"),
        person(f"{tag}boris", f"{tag}school"),
        person(f"{tag}vera", f"{tag}school"),
        pair(f"{tag}pair", f"{tag}anna", f"{tag}boris"),
    ]


@pytest.fixture(autouse=True)
async def clean(metrics_settings: MetricsSettings) -> None:
    connection = await db.connect(metrics_settings.database_url)
    await empty(connection)
    await connection.close()


async def test_a_session_moves_every_level_and_a_void_brings_it_back(
    metrics_settings: MetricsSettings, producer: AIOKafkaProducer
) -> None:
    await send(producer, *map(record, region("a")))
    async with service(metrics_settings) as client:
        await until(lambda: _is(client, "aregion", (0, 3, 0.0)))
        held = meeting("ameet", "apair", "aanna", "aboris")
        await send(producer, record(held))
        for name in ("aschool", "atown", "aregion"):
            await until(functools.partial(_is, client, name, (2, 3, 66.67)))
        only_anna = meeting("ameet", "apair", "aanna", version=2)
        await send(producer, record(only_anna), record(held))
        await until(lambda: _is(client, "aregion", (1, 3, 33.33)))
        await send(producer, record(next_version(only_anna, status="voided")))
        await until(lambda: _is(client, "aregion", (0, 3, 0.0)))
        await send(producer, tombstone(events.PARTICIPANT, ident("avera"), 2))
        await until(lambda: _is(client, "aregion", (0, 2, 0.0)))


async def _is(client: httpx.AsyncClient, name: str, expected: Any) -> bool:
    return bool(await figure(client, name) == expected)


async def test_poison_is_parked_and_the_rest_goes_on(
    metrics_settings: MetricsSettings, producer: AIOKafkaProducer
) -> None:
    good = region("b")
    bad_json = record(person("bbad", "bschool"))._replace(value=b"{not json")
    wrong_key = record(person("bkey", "bschool"))._replace(key=b"somebody-else")
    odd = record(person("bodd", "bschool"))
    unknown = odd._replace(
        headers=tuple(
            (n, b"nastavnik.participant.exploded.v9" if n == "ce_type" else v)
            for n, v in odd.headers
        )
    )
    no_headers = odd._replace(headers=(("ce_specversion", b"\xff"),))
    await send(producer, bad_json, wrong_key, unknown, no_headers, *map(record, good))
    async with service(metrics_settings) as client:
        await until(lambda: _is(client, "bregion", (0, 3, 0.0)))
        expected = {"event.bad_envelope", "event.bad_value", "event.key_mismatch"}
        await until(lambda: _parked(client, expected))
        progress = (await client.get("/progress")).json()
        assert sum(p["skipped"] for p in progress["partitions"]) >= 1
        assert sum(p["parked"] for p in progress["partitions"]) >= 3
        assert await until(lambda: _published_as_dead(metrics_settings, b"{not json"))


async def _parked(client: httpx.AsyncClient, codes: set[str]) -> bool:
    """Whether records were parked with each of the codes; others on the topics may be, too."""
    items = (await client.get("/dead-letters", params={"limit": 1000})).json()["items"]
    return codes <= {item["code"] for item in items}


async def _published_as_dead(settings: MetricsSettings, value: bytes) -> bool:
    consumer = kafka.create_consumer(settings, None, events.PARTICIPANT.dead_letter_topic)
    await consumer.start()
    try:
        polled = await consumer.getmany(timeout_ms=2000)
        return value in [r.value for records in polled.values() for r in records]
    finally:
        await consumer.stop()


async def test_a_restart_goes_on_from_the_stored_position(
    metrics_settings: MetricsSettings, producer: AIOKafkaProducer
) -> None:
    await send(producer, *map(record, region("c")))
    async with service(metrics_settings) as client:
        await until(lambda: _is(client, "cregion", (0, 3, 0.0)))
    await send(producer, record(meeting("cmeet", "cpair", "canna")))
    async with service(metrics_settings) as client:
        await until(lambda: _is(client, "cregion", (1, 3, 33.33)))
        await until(lambda: _watermark(client))
        applied = (await client.get("/progress")).json()["partitions"]
        assert sum(p["applied"] + p["superseded"] for p in applied) <= sum(
            p["next_offset"] for p in applied
        )


async def _watermark(client: httpx.AsyncClient) -> Any:
    return (await client.get("/progress")).json()["watermark"]


async def test_a_position_of_another_cluster_is_read_again_from_the_start(
    metrics_settings: MetricsSettings, producer: AIOKafkaProducer
) -> None:
    await send(producer, *map(record, region("d")))
    async with service(metrics_settings) as client:
        await until(lambda: _is(client, "dregion", (0, 3, 0.0)))
    connection = await db.connect(metrics_settings.database_url)
    await connection.execute(
        "update stream_position set cluster_id = 'another', next_offset = 1000000"
    )
    await connection.close()
    await send(producer, record(meeting("dmeet", "dpair", "danna", "dboris")))
    async with service(metrics_settings) as client:
        await until(lambda: _is(client, "dregion", (2, 3, 66.67)))


async def test_changed_values_reach_the_stream_and_the_topic(
    metrics_settings: MetricsSettings, producer: AIOKafkaProducer
) -> None:
    await send(producer, *map(record, region("e")))
    async with service(metrics_settings) as client:
        await until(lambda: _is(client, "eregion", (0, 3, 0.0)))
        await send(producer, record(meeting("emeet", "epair", "eanna", "eboris")))
        announced = await until(lambda: _announced(metrics_settings, "eregion"))
    assert announced["numerator"] == 2
    assert announced["denominator"] == 3


async def _announced(settings: MetricsSettings, name: str) -> Any:
    """The newest value of the unit's coverage of students on `nastavnik.indicators`."""
    consumer = kafka.create_consumer(settings, None, events.INDICATOR.topic)
    await consumer.start()
    try:
        polled = await consumer.getmany(timeout_ms=3000)
        bodies = [json.loads(r.value) for rs in polled.values() for r in rs if r.value]
    finally:
        await consumer.stop()
    wanted = [
        b
        for b in bodies
        if b["organization_id"] == str(ident(name))
        and (b["indicator"], b["form"]) == ("coverage.students", "all")
        and b["numerator"]
    ]
    return wanted[-1] if wanted else None
