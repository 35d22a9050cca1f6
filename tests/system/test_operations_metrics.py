"""What the services tell Prometheus: named alike, bounded, told anew after a restart, and without
asking anybody while it is scraped."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from nastavnik_activity.app import create_app as activity
from nastavnik_common import db
from nastavnik_common.settings import Settings
from nastavnik_local.scenario_api import Api
from nastavnik_metrics import readings
from nastavnik_metrics.app import create_app as metrics
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_registry.app import create_app as registry
from tests.system.helpers import DAY, NAMES, System, World, until

NOWHERE = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
APPS: dict[str, tuple[Callable[[Any], FastAPI], Settings]] = {
    "registry": (registry, Settings(database_url=NOWHERE)),
    "activity": (activity, Settings(database_url=NOWHERE)),
    "metrics": (metrics, MetricsSettings(database_url=NOWHERE)),
}
OURS = re.compile(r"nastavnik_[a-z_]+|process_[a-z_]+|mentoring_indicator_drift")
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parsed(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def scraped(api: Api, name: str) -> Samples:
    return parsed((await api.client(name).get("/metrics")).text)


@pytest.mark.parametrize("name", NAMES)
async def test_a_scrape_asks_nobody(name: str) -> None:
    """There is no database, no broker, and nothing runs in the background."""
    create, settings = APPS[name]
    transport = httpx.ASGITransport(create(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    told = parsed(answer.text)
    assert told["nastavnik_service", (("name", name),)] == 1
    assert told["nastavnik_database_pool_limit_connections", ()] == 20
    assert told["nastavnik_disk_free_bytes", ()] <= told["nastavnik_disk_size_bytes", ()]
    assert all(OURS.fullmatch(key) for key, _ in told)
    # what was never measured is not told as 0
    unmeasured = ("outbox_depth", "indicator_drift", "watermark", "consumer_lag", "imports")
    assert not [key for key, _ in told if any(part in key for part in unmeasured)]


async def test_requests_are_counted_by_route_template_and_class_of_status(
    running: System, api: Api
) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    labels = {"method": "GET", "route": "/organizations/{ident}"}
    key = ("nastavnik_http_requests_total", tuple(sorted({**labels, "status": "4xx"}.items())))
    took = ("nastavnik_http_request_duration_seconds_count", tuple(sorted(labels.items())))
    before = await scraped(api, "registry")
    await api.client("registry").get(f"/organizations/{unknown}")
    after = await scraped(api, "registry")
    for counted in (key, took):
        assert after[counted] - before.get(counted, 0) == 1
    assert unknown not in str(after)


async def test_an_event_is_followed_to_the_figure(running: System, api: Api) -> None:
    sessions = (("topic", "nastavnik.sessions"),)
    counted = ("nastavnik_event_to_figure_seconds_count", sessions)
    before = (await scraped(api, "metrics")).get(counted, 0)
    world = await World(api).build(pupils=20, pairs=4)
    await world.log(4)  # in which six took part: of fewer than five nothing is told here

    async def told() -> Samples | None:
        found = await scraped(api, "metrics")
        region = [
            value
            for (name, labels), value in found.items()
            if name == "nastavnik_indicator_numerator"
            and dict(labels)["unit"] == world.region
            and dict(labels)["indicator"] == "coverage.students"
        ]
        return found if found.get(counted, 0) > before and region == [6] else None

    found = await until(told)
    assert found is not None
    assert not [labels for (_, labels) in found if dict(labels).get("unit") == world.school]
    assert found["nastavnik_watermark_timestamp_seconds", ()] > 1_700_000_000
    assert ("nastavnik_outbox_depth_events", ()) in found


async def test_a_new_process_tells_what_the_old_one_told(running: System, api: Api) -> None:
    """All that is read of the database and the log is the same, told by whom it may be."""
    settings = MetricsSettings(
        database_url=running.servers.postgres.dsn("metrics"),
        kafka_bootstrap_servers=running.bootstrap,
    )
    await World(api).build(pupils=1, pairs=0)
    engine = db.create_engine(settings)
    fresh = CollectorRegistry()
    told = readings.create_readings(
        fresh, settings, db.create_sessions(engine), Definitions(settings.catalogue)
    )
    wanted = re.compile(
        "nastavnik_(indicator_(value|numerator|denominator|target)|consumer_lag_records)"
    )

    def facts(samples: Samples) -> Samples:
        return {key: value for key, value in samples.items() if wanted.fullmatch(key[0])}

    async def same() -> bool:
        await told.read()
        of_new = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in fresh.collect()
            for sample in family.samples
        }
        seen[:] = facts(of_new), facts(await scraped(api, "metrics"))
        return seen[0] == seen[1] and {name for name, _ in seen[0]} >= {
            "nastavnik_indicator_denominator",
            "nastavnik_consumer_lag_records",
        }

    seen: list[Samples] = []
    try:
        await until(same, saw=lambda: set(seen[0].items()) ^ set(seen[1].items()))
    finally:
        await told.close()
        await engine.dispose()


async def test_the_number_of_values_told_is_limited(running: System, api: Api) -> None:
    await World(api).places()
    settings = MetricsSettings(
        database_url=running.servers.postgres.dsn("metrics"), indicator_series=70
    )
    engine = db.create_engine(settings)
    registry = CollectorRegistry()
    figures = readings.Figures(
        registry, db.create_sessions(engine), Definitions(None), settings.indicator_series
    )

    async def told() -> int:
        await figures.read()
        families = {family.name: family.samples for family in registry.collect()}
        return len(families["nastavnik_indicator_denominator"])

    number = await until(told)
    await engine.dispose()
    assert number <= settings.indicator_series
    assert registry.get_sample_value("nastavnik_indicator_values_left_out")


def test_the_sessions_of_these_tests_are_of_this_school_year() -> None:
    """Gauges are of the current school year only: on 1 September yesterday was another."""
    if (DAY.month, DAY.day) == (8, 31):
        pytest.skip("yesterday was in the school year before this one")
