"""Values are announced when they changed, once, with rising versions; and again when asked."""

import asyncio
import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import asyncpg
import httpx
import pytest
from prometheus_client import CollectorRegistry

from nastavnik_common import clock, db
from nastavnik_common.outbox import Outbox
from nastavnik_metrics import stream
from nastavnik_metrics.announce import Announcer
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.tables import OUTBOX
from nastavnik_metrics.telemetry import ProjectorMetrics
from tests import tokens
from tests.metrics.conftest import Tell
from tests.metrics.world import TREE, ident, meeting, next_version, pair, person, school


@pytest.fixture
def announcer(metrics_settings: MetricsSettings) -> Announcer:
    sessions = db.create_sessions(db.create_engine(metrics_settings))
    outbox = Outbox(OUTBOX, "http://x/schemas")
    measured = ProjectorMetrics(CollectorRegistry())
    return Announcer(metrics_settings, sessions, outbox, Definitions(None), measured)


async def announced(connection: asyncpg.Connection) -> list[dict[str, Any]]:
    rows = await connection.fetch("select value from outbox order by id")
    return [json.loads(row["value"]) for row in rows]


def students(values: list[dict[str, Any]], name: str) -> list[tuple[int, int, int]]:
    """(version, numerator, denominator) of the coverage of students, all forms, in 2026/27."""
    return [
        (v["version"], v["numerator"], v["denominator"])
        for v in values
        if (v["indicator"], v["form"], v["school_year"]) == ("coverage.students", "all", 2026)
        and v["organization_id"] == str(ident(name))
    ]


async def test_only_what_changed_is_announced_at_rising_versions(
    announcer: Announcer, tell: Tell, connection: asyncpg.Connection
) -> None:
    x = meeting("x", "m", "a", "b")
    await tell(*TREE, person("a", "school"), person("b", "school"), pair("m", "a", "b"), x)
    await announcer.round()
    assert students(await announced(connection), "school") == [(1, 2, 2)]
    assert (await announcer.round()).changed == 0
    await tell(meeting("y", "m", "a", "b"))
    await announcer.round()
    found = students(await announced(connection), "school")
    assert found == [(1, 2, 2)], "a second session changes no coverage"
    await tell(next_version(x, status="voided"), meeting("y", "m", "a", version=2))
    assert (await announcer.round()).changed > 0
    for name in ("school", "east", "region", "country"):
        assert students(await announced(connection), name) == [(1, 2, 2), (2, 1, 2)]
    assert len(students(await announced(connection), "west")) == 1, "nothing changed there"


async def test_a_moved_school_changes_the_values_of_both_municipalities(
    announcer: Announcer, tell: Tell, connection: asyncpg.Connection
) -> None:
    await tell(*TREE, person("a", "school"))
    await announcer.round()
    await tell(school("school", "west", version=2))
    await announcer.round()
    found = await announced(connection)
    assert students(found, "east")[-1][1:] == (0, 0)
    assert students(found, "west")[-1][1:] == (0, 1)


async def test_republishing_repeats_every_value_at_its_version(
    announcer: Announcer, tell: Tell, connection: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    await tell(*TREE, person("a", "school"))
    count = (await announcer.round()).changed
    before = await announced(connection)
    await connection.execute("truncate outbox")
    response = await client.post("/admin/republish")
    assert (response.status_code, response.json()) == (202, {"counts": {"indicator": count}})
    again = await announced(connection)
    assert {(v["id"], v["version"]) for v in again} == {(v["id"], v["version"]) for v in before}


async def test_the_stream_goes_on_after_the_last_event_seen(
    announcer: Announcer, tell: Tell, metrics_settings: MetricsSettings
) -> None:
    await tell(*TREE, person("a", "school"), person("b", "school"), pair("m", "a", "b"))
    await announcer.round()
    sessions = db.create_sessions(db.create_engine(metrics_settings))
    hub = stream.Hub(metrics_settings.database_url)
    after_first = await _read(sessions, hub, 0, count=1)
    await tell(meeting("x", "m", "a"))
    await announcer.round()
    last = int(after_first[-1].split("\n")[0].removeprefix("id: "))
    rest = await _read(sessions, hub, last, count=1, name="school", numerator=1)
    assert json.loads(rest[-1].split("data: ")[1])["unit_name"] == "school"


async def test_a_stream_tells_of_units_within_reach_until_its_token_expires(
    announcer: Announcer, tell: Tell, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(*TREE, person("a", "school"), person("b", "other"))
    await announcer.round()

    async def told(headers: dict[str, str], unit: str | None = None) -> set[str]:
        """Of which units; the stream is read to its end."""
        times = iter([clock.now() + timedelta(minutes=59)])
        late = clock.now() + timedelta(minutes=61)
        monkeypatch.setattr(stream, "clock", SimpleNamespace(now=lambda: next(times, late)))
        query = {"unit": str(ident(unit))} if unit else {}
        more = {**headers, "last-event-id": "0"}
        async with asyncio.timeout(30):
            answer = await client.get("/stream", params=query, headers=more)
        found = [x for x in answer.text.split("\n") if x.startswith("data: ")]
        return {json.loads(x.removeprefix("data: "))["unit_id"] for x in found}

    everything = tokens.headers("auditor", minutes=60)
    assert {str(ident(n)) for n in ("school", "other", "region")} <= await told(everything)
    east = tokens.headers("municipality_coordinator", ident("east"), minutes=60)
    assert await told(east) == {str(ident("school")), str(ident("east"))}
    assert await told(east, "other") == await told(east, "region") == set()
    assert await told(tokens.headers("school_curator", ident("school"), minutes=60)) == {
        str(ident("school"))
    }


async def _read(
    sessions: db.Sessions,
    hub: stream.Hub,
    after: int,
    *,
    count: int,
    name: str | None = None,
    numerator: int | None = None,
) -> list[str]:
    """The first messages with a value, of the unit if named."""

    def wanted(value: Any) -> bool:
        return (name is None or value.organization_id == ident(name)) and (
            numerator is None or value.numerator == numerator
        )

    found: list[str] = []
    async for message in stream.events(sessions, hub, after, wanted):
        if "event: value" in message:
            found.append(message)
        if len(found) == count:
            break
    return found
