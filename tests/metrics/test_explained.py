"""Every figure explains itself: contributors, months, history, versions, headcounts, pace."""

from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import httpx
import pytest
from prometheus_client import CollectorRegistry

from nastavnik_common import db
from nastavnik_common.events.activity import (
    AssessmentState,
    ContributionState,
    GatheringState,
    Period,
    Score,
    SurveyState,
)
from nastavnik_common.events.registry import (
    PlannedMonth,
    ProgrammeDocument,
    ProgrammeState,
    ReferenceCountState,
    Training,
)
from nastavnik_common.outbox import Outbox
from nastavnik_metrics.announce import Announcer
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.tables import OUTBOX
from nastavnik_metrics.telemetry import ProjectorMetrics
from tests.metrics.conftest import Tell
from tests.metrics.world import TREE, ident, meeting, next_version, pair, person

YEAR = "2026/27"


async def get(client: httpx.AsyncClient, path: str, name: str, **params: Any) -> Any:
    response = await client.get(
        f"/indicators/{path}", params={"unit": str(ident(name)), "school_year": YEAR, **params}
    )
    assert response.status_code == 200, response.text
    return response.json()


async def value(client: httpx.AsyncClient, code: str, name: str, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await get(client, f"{code}/values", name, **params))["items"][0]
    return found


async def reached(connection: asyncpg.Connection, day: datetime) -> None:
    """Say that events have been read up to the day."""
    await connection.execute(
        """insert into stream_position (topic, partition, cluster_id, next_offset, applied,
             superseded, parked, skipped, watermark) values ('t', 0, 'c', 0, 0, 0, 0, 0, $1)
           on conflict (topic, partition) do update set watermark = excluded.watermark""",
        day,
    )


def survey(name: str, who: str, stage: str, day: date, value: int, **more: Any) -> SurveyState:
    fields: dict[str, Any] = {
        "version": 1,
        "organization_id": ident("school"),
        "mentorship_id": ident("m"),
        "respondent_id": ident(who),
        "respondent_role": "mentee",
        "questionnaire": "q",
        "questionnaire_version": 1,
        "stage": stage,
        "date": day,
        "status": "valid",
        "scores": (
            Score(scale="motivation", value=value),
            Score(scale="satisfaction", value=value),
        ),
        **more,
    }
    return SurveyState(id=ident(name), **fields)


def assessment(name: str, who: str, stage: str, day: date, value: int, **more: Any) -> Any:
    fields: dict[str, Any] = {
        "version": 1,
        "organization_id": ident("school"),
        "subject_kind": "mentee",
        "subject_id": ident(who),
        "domain": "educational",
        "instrument": "marks",
        "stage": stage,
        "date": day,
        "value": value,
        "status": "valid",
        **more,
    }
    return AssessmentState(id=ident(name), **fields)


@pytest.fixture
async def world(tell: Tell) -> None:
    await tell(*TREE, *(person(n, "school") for n in "abcd"), pair("m", "a", "b"))
    await tell(meeting("x1", "m", "a", "b"), meeting("x2", "m", "a", day=date(2026, 11, 3)))


@pytest.mark.usefixtures("world")
async def test_contributors_sum_up_to_the_figure(client: httpx.AsyncClient) -> None:
    for part, expected in (("numerator", 2), ("denominator", 4)):
        page = await get(client, "coverage.students/contributors", "region", part=part)
        assert sum(item["adds"] for item in page["items"]) == expected
        assert {item["kind"] for item in page["items"]} == {"person"}
    page = await get(client, "coverage.students/contributors", "region")
    assert {item["id"] for item in page["items"]} == {str(ident("a")), str(ident("b"))}


@pytest.mark.usefixtures("world")
async def test_contributors_page_without_repeating(client: httpx.AsyncClient) -> None:
    seen, cursor = [], None
    while True:
        params = {"part": "denominator", "limit": 1} | ({"cursor": cursor} if cursor else {})
        page = await get(client, "coverage.students/contributors", "region", **params)
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(str(ident(n)) for n in "abcd")


@pytest.mark.usefixtures("world")
async def test_a_series_grows_month_by_month(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await reached(connection, datetime(2026, 12, 5, tzinfo=UTC))
    series = (await get(client, "activity.sessions/series", "school"))["items"]
    assert [v["numerator"] for v in series] == [0, 1, 2, 2]
    students = (await get(client, "coverage.students/series", "school"))["items"]
    assert [(v["numerator"], v["denominator"]) for v in students] == [
        (0, 4),
        (2, 4),
        (2, 4),
        (2, 4),
    ]


async def test_what_was_known_then_is_told_again_and_the_change_has_a_history(
    tell: Tell,
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    metrics_settings: MetricsSettings,
) -> None:
    sessions = db.create_sessions(db.create_engine(metrics_settings))
    announcer = Announcer(
        metrics_settings,
        sessions,
        Outbox(OUTBOX, "http://x/schemas"),
        Definitions(None),
        ProjectorMetrics(CollectorRegistry()),
    )
    x = meeting("x", "m", "a", "b")
    await tell(*TREE, person("a", "school"), person("b", "school"), pair("m", "a", "b"), x)
    await announcer.round()
    answered = await value(client, "coverage.students", "school")
    then = await connection.fetchval("select clock_timestamp()")
    await tell(next_version(x, status="voided"))
    await announcer.round()
    now = await value(client, "coverage.students", "school")
    known = await value(client, "coverage.students", "school", known_on=then.isoformat())
    assert (answered["numerator"], now["numerator"], known["numerator"]) == (2, 0, 2)
    history = (await get(client, "coverage.students/history", "school"))["items"]
    assert [v["numerator"] for v in history] == [0, 2]
    assert history[0]["known_since"] > history[1]["known_since"]


@pytest.mark.usefixtures("world")
async def test_an_official_headcount_stands_beside_and_a_difference_is_flagged(
    tell: Tell, client: httpx.AsyncClient
) -> None:
    count = ReferenceCountState(
        id=ident("r"),
        version=1,
        organization_id=ident("school"),
        school_year=2026,
        population="students",
        headcount=1,
        source="form OO-1",
        as_of=date(2026, 9, 20),
    )
    await tell(count)
    found = await value(client, "coverage.students", "school")
    assert (found["denominator"], found["value"]) == (4, 50.0)
    assert found["reference"] == {"headcount": 1, "value": 200.0, "differs": True}


@pytest.mark.usefixtures("world")
async def test_pace_is_against_the_part_of_the_target_due_by_now(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await reached(connection, datetime(2026, 11, 20, tzinfo=UTC))
    found = await value(client, "coverage.students", "school")
    assert (found["value"], found["target"]) == (50.0, 70.0)
    assert found["pace"] == round(50 - 70 * 3 / 9, 2)


async def test_programmes_make_the_organisational_and_methodical_figures(
    tell: Tell, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    kinds: Any = ("order", "regulation", "roadmap", "curator_appointment", "pairs_order")
    programme = ProgrammeState(
        id=ident("g"),
        version=1,
        organization_id=ident("school"),
        school_year=2026,
        mechanisms=("formalisation", "planning"),
        documents=tuple(
            ProgrammeDocument(kind=k, status="approved", date=date(2026, 9, 1)) for k in kinds
        ),
        plan=(
            PlannedMonth(month=date(2026, 10, 1), sessions=2),
            PlannedMonth(month=date(2026, 11, 1), sessions=2),
        ),
        curator_id=ident("a"),
        methodical_materials=True,
    )
    other = ProgrammeState(
        id=ident("h"), version=1, organization_id=ident("other"), school_year=2026
    )
    await tell(*TREE, programme, other, person("a", "school"), person("b", "school"))
    await tell(pair("m", "a", "b"), meeting("x", "m", "a", "b"))
    await reached(connection, datetime(2026, 11, 20, tzinfo=UTC))

    async def parts(code: str) -> tuple[int, int]:
        found = await value(client, code, "region")
        return found["numerator"], found["denominator"]

    assert await parts("organisational.formalised") == (1, 2)
    assert await parts("organisational.mechanisms") == (2, 10)
    assert await parts("methodical.base") == (1, 2)
    assert await parts("organisational.plan_fulfilment") == (1, 2), "October alone is over"
    approved = programme.documents[:-1]
    await tell(next_version(programme, documents=approved))
    assert await parts("organisational.formalised") == (0, 2)


async def test_regularity_judges_the_mentorships_that_are_old_enough(
    tell: Tell, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await reached(connection, datetime(2027, 6, 1, tzinfo=UTC))
    await tell(*TREE, person("a", "school"), person("b", "school"))
    await tell(pair("m", "a", "b", sessions_per_month=1), meeting("x", "m", "a", "b"))
    young = Period(since=date(2026, 11, 15))
    await tell(pair("n", "a", "b", periods=(young,)))

    async def judged(month: int) -> tuple[int, int, str]:
        found = await value(client, "organisational.regularity", "school", month=month)
        return found["numerator"], found["denominator"], found["state"]

    assert await judged(0) == (0, 1, "ok"), "thirty days, and no session yet"
    assert await judged(1) == (0, 1, "ok"), "61 days ask for two sessions"
    await tell(meeting("y", "m", "a", "b", day=date(2026, 10, 20)))
    assert await judged(1) == (1, 1, "ok")
    assert await judged(2) == (0, 1, "ok"), "the young one has 16 days"
    assert await judged(3) == (0, 2, "ok")


async def test_too_early_where_everything_is_too_young(
    tell: Tell, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await reached(connection, datetime(2027, 6, 1, tzinfo=UTC))
    young = Period(since=date(2026, 11, 15))
    await tell(*TREE, person("a", "school"), person("b", "school"))
    await tell(pair("n", "a", "b", periods=(young,)))
    found = await value(client, "organisational.regularity", "school", month=2)
    assert (found["value"], found["state"]) == (None, "too_early")


@pytest.mark.usefixtures("world")
async def test_surveys_make_satisfaction_and_motivation(
    tell: Tell, client: httpx.AsyncClient
) -> None:
    october, may = date(2026, 10, 1), date(2027, 5, 10)
    await tell(survey("u1", "a", "entry", october, 500), survey("u2", "a", "exit", may, 700))
    await tell(survey("u3", "b", "entry", october, 600), survey("u4", "b", "exit", may, 650))
    satisfied = await value(client, "satisfaction.mentees", "region")
    assert (satisfied["numerator"], satisfied["denominator"]) == (1, 2)
    motivation = await value(client, "personal.motivation", "region")
    assert (motivation["value"], motivation["unit"]) == (1.25, "points")
    assert motivation["change"]["count"] == 2
    assert motivation["change"]["effect_size"] == round(125 / (150 / 2**0.5), 3)
    await tell(survey("u4", "b", "exit", may, 650, version=2, status="voided"))
    assert (await value(client, "personal.motivation", "region"))["change"]["count"] == 1


@pytest.mark.usefixtures("world")
async def test_assessments_make_the_results(tell: Tell, client: httpx.AsyncClient) -> None:
    before, after = date(2026, 9, 10), date(2027, 5, 10)
    await tell(
        assessment("a1", "a", "before", before, 380), assessment("a2", "a", "after", after, 420)
    )
    await tell(
        assessment("a3", "b", "before", before, 90, higher_is_better=False),
        assessment("a4", "b", "after", after, 95, higher_is_better=False),
    )
    found = await value(client, "results.educational", "region")
    assert (found["numerator"], found["denominator"]) == (1, 2)
    await tell(assessment("t", "b", "after", after, 100, domain="trajectory"))
    trajectories = await value(client, "results.trajectories", "region")
    assert (trajectories["numerator"], trajectories["denominator"]) == (1, 1)


@pytest.mark.usefixtures("world")
async def test_contributions_gatherings_and_training(tell: Tell, client: httpx.AsyncClient) -> None:
    gift = ContributionState(
        id=ident("c"),
        version=1,
        organization_id=ident("school"),
        partner_kind="organization",
        kind="money",
        kopecks=1_250_050,
        date=date(2026, 10, 3),
        status="valid",
    )
    fair = GatheringState(
        id=ident("e"),
        version=1,
        organization_id=ident("school"),
        status="held",
        date=date(2026, 10, 5),
        duration_minutes=90,
        technology="project",
        audience=("parents",),
    )
    trained = person("a", "school", version=2, trainings=(Training(completed_on=date(2026, 9, 5)),))
    await tell(gift, fair, trained)
    assert (await value(client, "results.resources", "region"))["value"] == 12500.5
    assert (await value(client, "activity.sessions", "region"))["value"] == 3
    assert (await value(client, "activity.hours", "region"))["value"] == 3.0
    parents = await value(client, "activity.sessions", "region", form="audience:parents")
    assert parents["value"] == 1
    mentors = await value(client, "methodical.mentors_trained", "region")
    assert (mentors["numerator"], mentors["denominator"]) == (1, 1)
    attendance = await value(client, "personal.attendance", "region")
    assert (attendance["numerator"], attendance["denominator"]) == (3, 3)
