"""The accounts close whatever was sent, and a record that got lost is found."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from nastavnik_common import kafka, tasks
from nastavnik_metrics.accounting import Ledger, balance
from nastavnik_metrics.accounting_log import Recount
from nastavnik_metrics.batch import Batch
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.projector import Projector
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.telemetry import AccountingMetrics, ProjectorMetrics
from tests.metrics.test_projector import region, send, service, until
from tests.metrics.test_rebuild import settled
from tests.metrics.world import FakeRecord, ident, next_version, person, record

NAMES = ("one", "two", "three")


@pytest.fixture
async def producer(metrics_settings: MetricsSettings) -> AsyncIterator[AIOKafkaProducer]:
    await kafka.ensure_topics(metrics_settings)
    opened = kafka.create_producer(metrics_settings, "tests")
    await opened.start()
    yield opened
    await opened.stop()


def unknown(name: str) -> FakeRecord:
    known = record(person(name, "school"))
    exploded = b"nastavnik.participant.exploded.v9"
    headers = tuple((n, exploded if n == "ce_type" else v) for n, v in known.headers)
    return known._replace(headers=headers)


@st.composite
def any_record(draw: st.DrawFn) -> FakeRecord:
    name = draw(st.sampled_from(NAMES))
    good = record(person(name, "school", version=draw(st.integers(1, 3))))
    return draw(st.sampled_from([good, good, good._replace(value=b"{"), unknown(name)]))


@given(st.lists(any_record(), max_size=12), st.integers(0, 4), st.data())
def test_each_record_past_the_position_has_one_outcome(
    drawn: list[FakeRecord], position: int, data: Any
) -> None:
    """Also when compaction left gaps, and records below the position come again."""
    gaps = data.draw(st.lists(st.integers(1, 5), min_size=len(drawn), max_size=len(drawn)))
    offsets = [sum(gaps[:n]) for n in range(len(drawn))]
    log = [r._replace(offset=at) for r, at in zip(drawn, offsets, strict=True)]
    topic = record(person("one", "school")).topic
    batch = Batch({(topic, 0): position})
    batch.add(log)
    tally = batch.tallies[topic, 0]
    total = tally.applied + tally.superseded + tally.parked + tally.skipped
    assert total == sum(at >= position for at in offsets)


def row(**given: int) -> dict[str, Any]:
    known = {"applied": 5, "superseded": 2, "parked": 1, "skipped": 1, "next_offset": 9}
    return {"topic": "t", "partition": 0, **known, **given}


@pytest.mark.parametrize(
    ("given_row", "end", "letters", "recount", "gap"),
    [
        (row(), 9, 1, None, 0),
        (row(), 12, 1, Recount(9, 9, 0), 0),
        (row(next_offset=40), 40, 1, Recount(4, 9, 0), 0),  # compacted
        (row(applied=14), 9, 1, Recount(9, 18, 0), 0),  # read twice
        (row(applied=4), 9, 1, Recount(9, 8, 0), 1),  # one more in the log than accounted for
        (row(), 9, 1, Recount(9, 9, 2), 2),  # two of which nothing tells
        (row(), 9, 0, None, 1),  # a dead letter gone
        (row(next_offset=12), 9, 1, None, 3),  # past the end of the log
    ],
)
def test_what_is_a_gap(
    given_row: Any, end: int, letters: int, recount: Recount | None, gap: int
) -> None:
    found = balance(given_row, (0, end), letters, recount)
    assert (found.gap, found.closes) == (gap, gap == 0)


async def test_the_accounts_close_and_a_lost_record_opens_them(
    metrics_settings: MetricsSettings, connection: asyncpg.Connection, producer: AIOKafkaProducer
) -> None:
    anna = person("acanna", "acschool")
    late = [next_version(anna), anna, anna]
    await send(producer, *map(record, [*region("ac"), *late]), unknown("acodd"))
    async with service(metrics_settings) as client:
        await settled(client)
        found = (await client.post("/admin/accounting")).json()
        assert found["closes"], found
        topic = next(t for t in found["topics"] if t["topic"] == "nastavnik.participants")
        assert topic["recounted"] <= topic["accounted"] <= topic["next_offset"] == topic["end"]
        assert topic["superseded"] >= 2
        assert topic["parked"] == topic["letters"]
        assert topic["skipped"] >= 1
        text = (await client.get("/metrics")).text
        applied = f'outcome="applied",topic="nastavnik.participants"}} {topic["applied"]}.0'
        assert f"nastavnik_projector_accounted_records{{{applied}" in text
        assert 'nastavnik_accounting_gap_records{topic="nastavnik.participants"} 0.0' in text

        await connection.execute("delete from participant where id = $1", ident("acvera"))
        await connection.execute(
            """insert into dead_letter (topic, partition, "offset", headers, code, error)
               values ('nastavnik.participants', 0, 5, '[]', 'never.parked', '')"""
        )
        found = (await client.post("/admin/accounting")).json()
        assert not found["closes"]
        topic = next(t for t in found["topics"] if t["topic"] == "nastavnik.participants")
        assert topic["gap"] >= 2
        text = (await client.get("/metrics")).text
        gap = 'nastavnik_accounting_gap_records{topic="nastavnik.participants"}'
        assert f"{gap} {topic['gap']}.0" in text


async def test_a_record_passed_by_raises_the_alarm_by_itself(
    metrics_settings: MetricsSettings,
    connection: asyncpg.Connection,
    producer: AIOKafkaProducer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A projector that loses a record and goes on; nobody asks for a recount."""
    lost = person("aclost", "acschool")
    await send(producer, *map(record, [*region("ac"), lost]))
    take = Batch._take

    def careless(self: Batch, found: Any, reading: Any, tally: Any) -> None:
        if reading.envelope.subject != lost.id:
            take(self, found, reading, tally)

    monkeypatch.setattr(Batch, "_take", careless)
    often = metrics_settings.model_copy(update={"accounting_seconds": 0.2, "recount_seconds": 0.2})
    registry = CollectorRegistry()
    catalogue = Definitions(None).catalogue
    projector = Projector(often, catalogue, ProjectorMetrics(CollectorRegistry()))
    ledger = Ledger(often, AccountingMetrics(registry))

    async def alarmed() -> bool:
        topic = {"topic": "nastavnik.participants"}
        gap = registry.get_sample_value("nastavnik_accounting_gap_records", topic)
        age = "nastavnik_recount_last_complete_timestamp_seconds"
        return gap == 1 and registry.get_sample_value(age) is not None

    async with tasks.running(projector.run(), ledger.run()):
        await until(alarmed)
