"""The auditor: silent while the figures are right, and not when any number is made wrong."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from nastavnik_common import db
from nastavnik_common.outbox import Outbox
from nastavnik_metrics.announce import Announcer
from nastavnik_metrics.audit import Auditor
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.tables import OUTBOX
from nastavnik_metrics.telemetry import AuditMetrics, ProjectorMetrics
from tests.metrics.conftest import Tell, empty, fold_in
from tests.metrics.histories import histories
from tests.metrics.test_figures_are_exact import records
from tests.metrics.test_projector import until
from tests.metrics.world import TREE, ident, meeting, pair, person


def auditor(database: MetricsSettings, registry: CollectorRegistry | None = None) -> Auditor:
    quick = database.model_copy(update={"audit_pause_seconds": 0, "audit_owners": 3})
    metrics = AuditMetrics(registry or CollectorRegistry())
    return Auditor(quick, Definitions(None), metrics)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_history_passes_the_audit(metrics_settings: MetricsSettings, data: Any) -> None:
    log = records(data.draw(st.permutations(data.draw(histories()))))

    async def check() -> None:
        connection = await db.connect(metrics_settings.database_url)
        try:
            await empty(connection)
            await fold_in(connection, log, 7)
            full = await auditor(metrics_settings).full()
            assert full.differences == []
            assert (await auditor(metrics_settings).round(connection)).differences == []
        finally:
            await connection.close()

    asyncio.run(check())


@pytest.fixture
async def world(tell: Tell) -> None:
    people = [person(name, "school") for name in ("anna", "boris", "vera")]
    await tell(*TREE, *people, pair("pair", "anna", "boris"), meeting("m", "pair", "anna", "boris"))


STRANGER = "'00000000-0000-0000-0000-00000000abcd'"
CORRUPTIONS = {
    "a cell": ("update cell set value = value + 1 where measure = 'engaged.students'", "cell"),
    "a cell gone": ("delete from cell where measure = 'population.students'", "cell"),
    "a cell of nobody": (f"insert into cell values ({STRANGER}, 1, 'all', 'x', 5)", "cell"),
    "an owner's pattern": ("update owner set pattern = null where kind = 'person'", "owner"),
    "a pattern gone": ("delete from pattern", "owner"),
    "a session's pattern": ("update session set pattern = null", "owner"),
    "where a session counts": (f"update session set organization_id = {STRANGER}", "owner"),
    "an owner gone": ("delete from owner where kind = 'mentorship'", "owner"),
    "an owner of nothing": (
        f"insert into owner (kind, id, pattern, organizations) select 'programme', {STRANGER},"
        f" id, array[{STRANGER}, {STRANGER}]::uuid[] from pattern limit 1",
        "owner",
    ),
    "where an owner counts": ("update owner set organizations = '{}'", "owner"),
    "a counter": ("update attendance set held = held + 1", "attendance"),
    "a counter gone": ("delete from attendance", "attendance"),
    "a member gone": ("delete from mentorship_member", "member"),
}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("what", CORRUPTIONS)
async def test_what_is_made_wrong_is_found_and_left(
    what: str,
    metrics_settings: MetricsSettings,
    connection: asyncpg.Connection,
) -> None:
    statement, where = CORRUPTIONS[what]
    assert (await auditor(metrics_settings).full()).drift == 0
    changed = await connection.execute(statement)
    assert not changed.endswith(" 0"), changed
    registry = CollectorRegistry()
    patient = auditor(metrics_settings, registry)
    full = await patient.full()
    in_turn = await patient.round(connection)
    for found in (full, in_turn):
        assert where in {d.where for d in found.differences}
        assert found.drift == len(found.differences)
    assert registry.get_sample_value("mentoring_indicator_drift") == in_turn.drift
    assert registry.get_sample_value("nastavnik_audit_rounds_total") == 2
    assert registry.get_sample_value("nastavnik_audit_last_complete_timestamp_seconds")
    assert (await auditor(metrics_settings).full()).drift == full.drift, "it repairs nothing"


@pytest.mark.usefixtures("world")
async def test_the_audit_over_http(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    assert (await client.get("/audit")).json() == {"current": None, "last": None}
    right = (await client.post("/admin/audit")).json()
    assert (right["drift"], right["differences"], right["full"]) == (0, [], True)
    assert right["cells"] > 10
    await connection.execute("update cell set value = value + 2 where slice = 'student_student'")
    wrong = (await client.post("/admin/audit")).json()
    assert wrong["drift"] > 0
    assert wrong["differences"][0]["stored"] == wrong["differences"][0]["expected"] + 2
    assert (await client.get("/audit")).json()["last"] == wrong
    assert f"mentoring_indicator_drift {wrong['drift']}.0" in (await client.get("/metrics")).text


async def test_figures_that_move_while_they_are_audited(
    metrics_settings: MetricsSettings,
    connection: asyncpg.Connection,
    tell: Tell,
    world: None,
) -> None:
    """One snapshot a tick: folding in between is no drift."""
    ended = asyncio.Event()
    own = await db.connect(metrics_settings.database_url)

    async def audit() -> list[int]:
        found = []
        while not ended.is_set():
            found.append((await auditor(metrics_settings).full()).drift)
            found.append((await auditor(metrics_settings).round(own)).drift)
        return found

    watching = asyncio.create_task(audit())
    names: Callable[[int], str] = lambda n: "anna" if n % 2 else "boris"  # noqa: E731
    for n in range(60):
        await tell(meeting(f"m{n}", "pair", names(n)), person(f"p{n}", "other"))
    ended.set()
    drifts = await watching
    await own.close()
    assert len(drifts) >= 2
    assert set(drifts) == {0}
    assert ident("anna")


async def test_announced_values_are_audited_by_itself_now_and_then(
    metrics_settings: MetricsSettings, world: None, connection: asyncpg.Connection
) -> None:
    often = metrics_settings.model_copy(
        update={"audit_pause_seconds": 0.01, "recount_seconds": 0.1, "audit_owners": 1000}
    )
    registry = CollectorRegistry()
    watching = Auditor(often, Definitions(None), AuditMetrics(registry))
    await announce(metrics_settings)
    assert (await watching.full()).differences == []
    wrong = await connection.fetchval(
        """update indicator_value set body = jsonb_set(body::jsonb, '{numerator}', '7')::json
           where body->>'indicator' = 'coverage.students' and body->>'level' = 'region'
             and body->>'form' = 'all' and body->>'school_year' = '2026' returning id"""
    )
    assert wrong is not None

    async def told() -> bool:
        return registry.get_sample_value("mentoring_indicator_drift") == 1

    running = asyncio.create_task(watching.run())
    await until(told)
    rounds = registry.get_sample_value("nastavnik_audit_rounds_total") or 0

    async def still_told() -> bool:
        now = registry.get_sample_value("nastavnik_audit_rounds_total") or 0
        return now > rounds + 2 and await told()

    await until(still_told)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def announce(database: MetricsSettings) -> None:
    engine = db.create_engine(database)
    outbox = Outbox(OUTBOX, database.schema_base_url)
    metrics = ProjectorMetrics(CollectorRegistry())
    sessions = db.create_sessions(engine)
    announcer = Announcer(database, sessions, outbox, Definitions(None), metrics)
    assert (await announcer.round()).changed
    await engine.dispose()
