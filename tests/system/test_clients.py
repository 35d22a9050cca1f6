"""What others see: every record on the topics, by clients that are not ours, and every document."""

import json
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import jsonschema
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    ResourceType,
)

from nastavnik_common import contract_page
from nastavnik_common.contract import asyncapi
from nastavnik_common.events import KINDS
from nastavnik_local.scenario_api import Api
from tests import tokens
from tests.system.helpers import NAMES, System, World, until_exact, until_figures

TOPICS = [kind.topic for kind in KINDS]
PUBLISHED = ["organizations", "participants", "targets", "mentorships", "sessions", "indicators"]


class Read(NamedTuple):
    topic: str
    partition: int
    key: str
    headers: dict[str, str]
    value: Any  # None: a tombstone


@pytest.fixture(scope="module")
async def written(running: System) -> World:
    """Something on every topic that is in use, with tombstones among it."""
    async with Api.connect(running.urls) as api:
        world = await World(api).build(pupils=4, pairs=1)
        target = {"indicator": "coverage.students", "school_year": "2026/27", "percent": 70}
        target["organization_id"] = world.region
        made = await api.send("registry", "POST", "/targets", target)
        sessions = await world.log(5)
        await api.send("activity", "POST", f"/sessions/{sessions[0]}:void", {})
        for service, path in [
            ("activity", f"/sessions/{sessions[1]}"),
            ("registry", f"/participants/{world.people[3]}"),
            ("registry", f"/targets/{made.body['id']}"),
        ]:
            assert (await api.client(service).delete(path)).status_code == 200
        await until_figures(api, world.units, (2, 3))
        await until_exact(running, api, lambda log: sessions[4] in log.sessions)
    return world


@pytest.fixture(scope="module")
def records(running: System, written: World) -> list[Read]:
    """Everything on the topics, read by librdkafka."""
    settings = {
        "bootstrap.servers": running.bootstrap,
        "group.id": "somebody-else",
        "enable.auto.commit": False,
        "enable.partition.eof": False,
    }
    consumer = Consumer(settings)
    try:
        return list(_all_of(consumer))
    finally:
        consumer.close()


def _all_of(consumer: Consumer) -> Iterator[Read]:
    """What the topics held when asked."""
    known = consumer.list_topics(timeout=10).topics
    parts = [TopicPartition(topic, n, 0) for topic in TOPICS for n in known[topic].partitions]
    ends = {(p.topic, p.partition): consumer.get_watermark_offsets(p)[1] for p in parts}
    ends = {part: end for part, end in ends.items() if end}
    consumer.assign(parts)
    while ends:
        message: Any = consumer.poll(10)
        assert message is not None, ends
        assert message.error() is None, message.error()
        headers = {name: text.decode() for name, text in message.headers()}
        value = message.value()
        body = None if value is None else json.loads(value)
        yield Read(message.topic(), message.partition(), message.key().decode(), headers, body)
        if message.offset() + 1 >= ends.get((message.topic(), message.partition()), 0):
            ends.pop((message.topic(), message.partition()), None)


def test_every_topic_in_use_has_records(records: list[Read]) -> None:
    assert {r.topic for r in records} >= {f"nastavnik.{name}" for name in PUBLISHED}


def test_every_record_is_a_cloud_event(records: list[Read]) -> None:
    messages = asyncapi()["components"]["messages"].values()
    described = {message["name"]: message["headers"] for message in messages}
    for record in records:
        schema = described[record.headers["ce_type"]]
        jsonschema.validate(record.headers, {**schema, "additionalProperties": False})
        assert record.headers["ce_subject"] == record.key
        assert record.headers["content-type"] == "application/json"
        sequence = record.headers["ce_sequence"]
        assert record.headers["ce_id"] == f"{record.key}:{sequence}"


def test_the_cloudevents_sdk_reads_every_record(records: list[Read]) -> None:
    for record in records:
        headers = {name: text.encode() for name, text in record.headers.items()}
        value = b"null" if record.value is None else json.dumps(record.value).encode()
        event = from_binary_event(KafkaMessage(headers, record.key, value))
        assert event.get_subject() == record.key
        assert event.get_type() == record.headers["ce_type"]
        assert event.get_extension("sequence") == record.headers["ce_sequence"]
        assert event.get_data() == record.value


def test_every_value_is_what_the_served_schema_says(running: System, records: list[Read]) -> None:
    validators: dict[str, Any] = {}
    for record in records:
        url = record.headers["ce_dataschema"]
        if url not in validators:
            assert url.startswith(running.url("registry"))
            schema = httpx.get(url, trust_env=False).json()
            jsonschema.Draft202012Validator.check_schema(schema)
            validators[url] = jsonschema.Draft202012Validator(
                schema, format_checker=jsonschema.FormatChecker()
            )
        if record.value is not None:
            validators[url].validate(record.value)
            assert record.value["id"] == record.key
            assert str(record.value["version"]) == record.headers["ce_sequence"]
    assert len(validators) >= len(PUBLISHED)


def test_a_deletion_is_a_tombstone_and_nothing_else_is(records: list[Read]) -> None:
    deleted = [r for r in records if r.headers["ce_type"].endswith(".deleted.v1")]
    assert {r.topic for r in deleted} >= {
        f"nastavnik.{name}" for name in ("participants", "sessions", "targets")
    }
    assert all(r.value is None for r in deleted)
    assert all(r.value is not None for r in records if r not in deleted)


def test_an_aggregate_stays_in_one_partition_with_what_belongs_to_it(records: list[Read]) -> None:
    partitions: dict[tuple[str, str], set[int]] = defaultdict(set)
    for record in records:
        partitions[record.topic, record.key].add(record.partition)
    assert all(len(found) == 1 for found in partitions.values())
    for record in records:
        if record.topic == "nastavnik.sessions" and record.value:
            mentorship = record.value["mentorship_id"]
            assert record.headers["ce_partitionkey"] == mentorship
            assert partitions["nastavnik.mentorships", mentorship] == {record.partition}


def test_no_record_names_anybody(records: list[Read]) -> None:
    for record in records:
        text = json.dumps([record.value, record.headers], ensure_ascii=False)
        assert not any(name in text for name in ("Белова", "Анна", "2011-03-14"))


def test_topics_are_compacted(running: System, written: World) -> None:
    admin = AdminClient({"bootstrap.servers": running.bootstrap})
    asked = [ConfigResource(ResourceType.TOPIC, topic) for topic in TOPICS]
    for resource, answer in admin.describe_configs(asked).items():
        settings = answer.result(timeout=20)
        assert settings["cleanup.policy"].value == "compact", resource
        assert int(settings["delete.retention.ms"].value) >= 24 * 3600 * 1000


def test_kcat_reads_every_topic(running: System, records: list[Read]) -> None:
    kcat = shutil.which("kcat")
    if kcat is None:
        pytest.skip("no kcat here")
    counts: dict[str, int] = defaultdict(int)
    for record in records:
        counts[record.topic] += 1
    for topic in TOPICS:
        command = [kcat, "-b", running.bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-J"]
        command += ["-X", "fetch.wait.max.ms=10"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        # indicators may still be announced meanwhile
        assert len(lines) >= counts[topic], topic
        for line in lines:
            headers = dict(zip(line["headers"][::2], line["headers"][1::2], strict=True))
            assert headers["ce_subject"] == line["key"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("written")
def test_promtool_finds_nothing_to_say_of_the_metrics(running: System, name: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool here (it comes with Prometheus)")
    exposed = httpx.get(f"{running.url(name)}/metrics", trust_env=False).text
    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=exposed,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_a_service_answers_what_every_service_answers(running: System, name: str) -> None:
    with httpx.Client(
        base_url=running.url(name), trust_env=False, headers=tokens.allowed(), timeout=10
    ) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        assert client.get("/openapi.json").json()["openapi"].startswith("3.1")
        assert client.get("/asyncapi.json").json() == json.loads(json.dumps(asyncapi(name)))
        assert client.get("/asyncapi").text == contract_page.page(asyncapi(name))
        for path in ("/docs", "/asyncapi"):
            assert "text/html" in client.get(path).headers["content-type"]
        assert "nastavnik_http_requests_total" in client.get("/metrics").text
        nothing = client.get("/nothing")
        assert (nothing.status_code, nothing.json()["code"]) == (404, "route.not_found")
        assert nothing.headers["content-type"] == "application/problem+json"
        wrong = client.put("/healthz")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")


def test_every_schema_an_asyncapi_document_speaks_of_is_served(running: System) -> None:
    for kind in KINDS:
        answer = httpx.get(f"{running.url('metrics')}/schemas/{kind.schema_name}", trust_env=False)
        assert answer.status_code == 200
