"""Reports: who may hand them in and when, what a freeze keeps, and how restatements tell of it."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection

from nastavnik_common import db, events
from nastavnik_common.events.registry import ProgrammeState
from nastavnik_common.outbox import Outbox
from nastavnik_metrics.announce import Announcer
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.tables import OUTBOX, Base
from nastavnik_metrics.telemetry import ProjectorMetrics
from tests import tokens
from tests.metrics.conftest import Tell, fold_in
from tests.metrics.world import (
    TREE,
    ident,
    meeting,
    next_version,
    pair,
    person,
    tombstone,
)

YEAR = "2026/27"
MEETING = meeting("x1", "m", "a", "b")


@pytest.fixture
async def world(tell: Tell) -> None:
    """One municipality with a school that has figures; nothing is counted in the other."""
    await tell(*TREE, *(person(n, "school") for n in "abcd"), pair("m", "a", "b"), MEETING)


async def opened(client: httpx.AsyncClient, name: str, **more: Any) -> str:
    body = {"unit_id": str(ident(name)), "school_year": YEAR, **more}
    response = await client.post("/reports", json=body)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def moved(client: httpx.AsyncClient, report: str, *actions: str) -> httpx.Response:
    response = await client.get(f"/reports/{report}")
    for action in actions:
        response = await client.post(f"/reports/{report}:{action}")
    return response


async def frozen(client: httpx.AsyncClient, name: str) -> str:
    report = await opened(client, name)
    response = await moved(client, report, "submit", "accept", "freeze")
    assert response.json()["status"] == "frozen", response.text
    return report


async def values(client: httpx.AsyncClient, report: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = (await client.get(f"/reports/{report}/values")).json()
    return {(v["indicator"], v["form"]): v for v in found["items"]}


async def restated(client: httpx.AsyncClient, report: str, **params: Any) -> dict[Any, Any]:
    response = await client.get(f"/reports/{report}/restatements", params=params)
    assert response.status_code == 200, response.text
    return {(v["indicator"], v["form"]): v for v in response.json()["items"]}


@pytest.mark.usefixtures("world")
async def test_a_report_goes_its_way_and_says_who_moved_it(client: httpx.AsyncClient) -> None:
    report = await opened(client, "school")
    body = {"comment": "for the year"}
    first = await client.post(f"/reports/{report}:submit", json=body)
    assert (first.json()["status"], first.headers["etag"]) == ("submitted", '"2"')
    assert (await moved(client, report, "return")).json()["status"] == "returned"
    last = (await moved(client, report, "submit", "accept", "freeze")).json()
    steps = [step["action"] for step in last["history"]]
    assert steps == ["submit", "return", "submit", "accept", "freeze"]
    told = last["history"][0]
    assert (told["by"], told["comment"]) == (tokens.actor(), "for the year")
    assert told["at"] <= last["history"][-1]["at"]
    read = await client.get(f"/reports/{report}")
    assert read.json() == last
    assert read.headers["etag"] == '"6"'


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("before", "refused"),
    [
        ((), ("return", "accept", "freeze")),
        (("submit",), ("submit", "freeze")),
        (("submit", "return"), ("return", "accept", "freeze")),
        (("submit", "accept"), ("submit", "return", "accept")),
        (("submit", "accept", "freeze"), ("submit", "return", "accept", "freeze")),
    ],
)
async def test_what_is_not_its_turn_is_refused(
    client: httpx.AsyncClient, before: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    report = await opened(client, "school")
    await moved(client, report, *before)
    status = (await client.get(f"/reports/{report}")).json()
    for action in refused:
        response = await moved(client, report, action)
        assert (response.status_code, response.json()["code"]) == (409, "report.wrong_status")
    assert (await client.get(f"/reports/{report}")).json() == status


@pytest.mark.usefixtures("world")
async def test_a_unit_has_one_report_a_year_and_asking_again_is_safe(
    client: httpx.AsyncClient,
) -> None:
    body = {"id": str(ident("R")), "unit_id": str(ident("school")), "school_year": YEAR}
    first = await client.post("/reports", json=body)
    again = await client.post("/reports", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["location"] == f"/reports/{ident('R')}"
    assert again.json() == first.json()
    cases = [
        ({**body, "id": None}, 409, "report.exists"),
        ({**body, "unit_id": str(ident("other"))}, 409, "report.id_conflict"),
        ({"unit_id": str(ident("nobody")), "school_year": YEAR}, 422, "unit.unknown"),
        ({**body, "school_year": "2026/28"}, 422, "school_year.malformed"),
        ({**body, "more": 1}, 422, "request.invalid"),
    ]
    for wrong, status, code in cases:
        response = await client.post("/reports", json=wrong)
        assert (response.status_code, response.json()["code"]) == (status, code)
    await opened(client, "school", school_year="2027/28")


@pytest.mark.usefixtures("world")
async def test_a_key_repeats_the_first_answer_and_a_stale_version_is_refused(
    client: httpx.AsyncClient,
) -> None:
    report = await opened(client, "school")
    path, body = f"/reports/{report}:submit", {"comment": "first"}
    first = await client.post(path, json=body, headers={"Idempotency-Key": "k1"})
    await moved(client, report, "return")
    again = await client.post(path, json=body, headers={"Idempotency-Key": "k1"})
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    other = await client.post(path, json={"comment": "x"}, headers={"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.key_reused")
    stale = await client.post(path, json=body, headers={"If-Match": '"2"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version.stale")
    fresh = await client.post(path, json=body, headers={"If-Match": '"3"'})
    assert fresh.json()["version"] == 4
    await moved(client, report, "accept")
    path, headers = f"/reports/{report}:freeze", {"Idempotency-Key": "k2", "If-Match": '"5"'}
    once, twice = [await client.post(path, json=body, headers=headers) for _ in range(2)]
    assert (once.status_code, twice.content) == (200, once.content)


@pytest.mark.usefixtures("world")
async def test_nobody_says_in_the_body_who_they_are(client: httpx.AsyncClient) -> None:
    report = await opened(client, "school")
    for body in ({"by": tokens.actor("another")}, {"comment": "a\0b"}):
        response = await client.post(f"/reports/{report}:submit", json=body)
        assert (response.status_code, response.json()["code"]) == (422, "request.invalid")


@pytest.mark.usefixtures("world")
async def test_who_submitted_a_report_does_not_accept_it(client: httpx.AsyncClient) -> None:
    report = await opened(client, "school")
    one, two = (
        tokens.headers("municipality_coordinator", ident("east"), subject=name)
        for name in ("one", "two")
    )

    async def done(action: str, headers: dict[str, str]) -> httpx.Response:
        return await client.post(f"/reports/{report}:{action}", headers=headers)

    assert (await done("submit", one)).status_code == 200
    own = await done("accept", one)
    assert (own.status_code, own.json()["code"]) == (403, "report.own_submission")
    # whoever handed it in last counts, and may take it back
    for action, headers in (("return", one), ("submit", two)):
        assert (await done(action, headers)).status_code == 200
    assert (await done("accept", two)).json()["code"] == "report.own_submission"
    accepted = (await done("accept", one)).json()
    assert accepted["status"] == "accepted"
    whose = [step["by"] for step in accepted["history"]]
    assert whose == [tokens.actor(name) for name in ("one", "one", "two", "one")]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(("unit", "status"), [(None, 200), ("region", 403)])
async def test_only_above_whom_nobody_is_may_accept_what_they_submitted(
    client: httpx.AsyncClient, unit: str | None, status: int
) -> None:
    headers = tokens.headers("region_administrator", ident(unit) if unit else None)
    report = await opened(client, "school")
    await client.post(f"/reports/{report}:submit", headers=headers)
    assert (await client.post(f"/reports/{report}:accept", headers=headers)).status_code == status


@pytest.mark.usefixtures("world")
async def test_reports_are_listed_by_unit_year_status_and_level(client: httpx.AsyncClient) -> None:
    made = {name: await opened(client, name) for name in ("school", "other", "east", "region")}
    await opened(client, "school", school_year="2025/26")
    await moved(client, made["school"], "submit")

    async def listed(**params: Any) -> set[str]:
        return {r["id"] for r in (await client.get("/reports", params=params)).json()["items"]}

    assert await listed(school_year=YEAR) == set(made.values())
    assert await listed(unit_id=str(ident("east"))) == {made["east"]}
    assert await listed(status="submitted") == {made["school"]}
    assert await listed(level="organization", school_year=YEAR) == {made["school"], made["other"]}
    seen, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/reports", params=params)).json()
        seen += [r["id"] for r in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5


async def test_a_territory_waits_for_those_under_it(client: httpx.AsyncClient, tell: Tell) -> None:
    planned = ProgrammeState(
        id=ident("g"), version=1, organization_id=ident("club"), school_year=2026
    )
    last_year = pair("m", "a", "b", organization_id=ident("works"))
    await tell(*TREE, person("a", "school"), person("c", "other"), planned, last_year)
    names = ("school", "other", "club", "works", "east", "west", "region")
    made = {name: await opened(client, name) for name in names}

    async def refusal(name: str) -> tuple[str, set[str]]:
        response = await moved(client, made[name], "submit")
        assert (response.status_code, response.json()["code"]) == (422, "report.children_open")
        errors = response.json()["errors"]
        return response.json()["detail"], {e["location"].split(".")[1] for e in errors}

    detail, named = await refusal("west")
    assert detail.startswith("3 of 3 reports")
    assert named == {str(ident(n)) for n in ("other", "works", "club")}
    await moved(client, made["other"], "submit", "accept")
    await moved(client, made["works"], "submit", "accept", "freeze")
    await moved(client, made["club"], "submit")
    assert (await refusal("west"))[1] == {str(ident("club"))}
    await moved(client, made["club"], "accept")
    assert (await moved(client, made["west"], "submit", "accept")).json()["status"] == "accepted"
    detail, named = await refusal("region")
    assert detail.startswith("1 of 2 reports")
    assert named == {str(ident("east"))}
    await moved(client, made["school"], "submit", "accept")
    await moved(client, made["east"], "submit", "accept")
    assert (await moved(client, made["region"], "submit")).json()["status"] == "submitted"


async def test_who_counts_nothing_in_the_year_owes_no_report(
    client: httpx.AsyncClient, tell: Tell
) -> None:
    before = meeting("x", "m", "a", day=date(2025, 10, 1))
    gone = person("a", "school")
    await tell(*TREE, gone, pair("m", "a", "b"), before, next_version(gone, memberships=()))
    ended = next_version(pair("m", "a", "b"), status="draft", periods=())
    await tell(ended)
    report = await opened(client, "east")
    assert (await moved(client, report, "submit")).json()["status"] == "submitted"


@pytest.mark.usefixtures("world")
async def test_figures_are_provisional_then_frozen_and_stay(
    client: httpx.AsyncClient, tell: Tell, connection: asyncpg.Connection
) -> None:
    report = await opened(client, "school")
    before = await values(client, report)
    assert {v["state"] for v in before.values()} == {"provisional"}
    assert before["coverage.students", "all"]["numerator"] == 2
    assert ("coverage.students", "student_student") in before
    await moved(client, report, "submit", "accept", "freeze")
    kept = await values(client, report)
    assert {v["state"] for v in kept.values()} == {"frozen"}
    assert list(kept) == list(before)
    same = [{**v, "state": "provisional"} for v in kept.values()]
    assert same == list(before.values())
    renamed = next_version(TREE[4], name="renamed")
    await tell(next_version(MEETING, status="voided"), person("e", "school"), renamed)
    assert await values(client, report) == kept
    await fold_in(connection, [tombstone(events.ORGANIZATION, ident("school"), 9)], 10)
    assert await values(client, report) == kept
    assert (await client.get(f"/reports/{report}")).json()["unit_name"] == "school"


@pytest.mark.usefixtures("world")
async def test_a_later_correction_is_a_restatement_with_those_it_came_from(
    client: httpx.AsyncClient, tell: Tell
) -> None:
    await tell(meeting("x2", "m", "a", day=date(2026, 11, 3)))
    report = await frozen(client, "school")
    assert await restated(client, report) == {}
    without_b = tuple(p for p in MEETING.attendance if p.participant_id == ident("a"))
    await tell(next_version(MEETING, attendance=without_b))
    found = await restated(client, report)
    told = found["coverage.students", "all"]
    assert (told["before"]["numerator"], told["after"]["numerator"]) == (2, 1)
    assert (told["before"]["state"], told["after"]["state"]) == ("frozen", "ok")
    assert told["changed"] == 1
    (part,) = told["contributors"]
    assert (part["kind"], part["id"]) == ("person", str(ident("b")))
    assert (part["numerator_before"], part["numerator_after"]) == (1, 0)
    assert (part["denominator_before"], part["denominator_after"]) == (1, 1)
    sliced = found["coverage.students", "student_student"]
    assert (sliced["before"]["numerator"], sliced["after"]["numerator"]) == (2, 1)
    assert (sliced["changed"], sliced["contributors"]) == (None, [])
    assert ("activity.sessions", "all") not in found
    await tell(next_version(next_version(MEETING)))
    assert await restated(client, report) == {}, "what was corrected back is no difference"


@pytest.mark.usefixtures("world")
async def test_contributors_are_capped_and_counted(client: httpx.AsyncClient, tell: Tell) -> None:
    report = await frozen(client, "school")
    await tell(*(person(f"new{n}", "school") for n in range(30)))
    for asked, given in ((None, 20), (3, 3), (0, 0)):
        params = {} if asked is None else {"parts": asked}
        told = (await restated(client, report, **params))["coverage.students", "all"]
        assert (told["changed"], len(told["contributors"])) == (30, given)


@pytest.mark.usefixtures("world")
async def test_of_a_territory_the_organisations_that_changed_are_named(
    client: httpx.AsyncClient, tell: Tell
) -> None:
    for name in ("school", "east", "region"):
        report = await frozen(client, name)
    gone = next_version(MEETING, status="voided")
    await tell(gone, person("c2", "other"))
    found = await restated(client, report)
    told = found["coverage.students", "all"]
    parts = {p["id"]: p for p in told["contributors"]}
    assert {p["kind"] for p in parts.values()} == {"organization"}
    assert set(parts) == {str(ident("school")), str(ident("other"))}
    assert parts[str(ident("school"))]["numerator_after"] == 0
    for part in ("numerator", "denominator"):
        moved_by = sum(p[f"{part}_after"] - p[f"{part}_before"] for p in parts.values())
        assert told["after"][part] - told["before"][part] == moved_by


@pytest.mark.usefixtures("world")
async def test_a_slice_that_appears_or_empties_is_restated(
    client: httpx.AsyncClient, tell: Tell
) -> None:
    report = await frozen(client, "school")
    changed = next_version(MEETING, technology="project")
    await tell(changed)
    new = (await restated(client, report))["activity.sessions", "technology:project"]
    assert (new["before"], new["after"]["numerator"]) == (None, 1)
    await tell(next_version(changed, status="voided"))
    emptied = (await restated(client, report))["activity.sessions", "student_student"]
    assert (emptied["before"]["numerator"], emptied["after"]["numerator"]) == (1, 0)


@pytest.mark.usefixtures("world")
async def test_passing_time_is_no_restatement(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    async def reached(day: datetime) -> None:
        await connection.execute(
            """insert into stream_position (topic, partition, cluster_id, next_offset, applied,
                 superseded, parked, skipped, watermark) values ('t', 0, 'c', 0, 0, 0, 0, 0, $1)
               on conflict (topic, partition) do update set watermark = excluded.watermark""",
            day,
        )

    await reached(datetime(2026, 11, 20, tzinfo=UTC))
    report = await frozen(client, "school")
    await reached(datetime(2027, 6, 20, tzinfo=UTC))
    assert await restated(client, report) == {}


@pytest.mark.usefixtures("world")
async def test_a_restatement_says_since_when(
    client: httpx.AsyncClient, tell: Tell, connection: asyncpg.Connection, announcer: Announcer
) -> None:
    await announcer.round()
    report = await frozen(client, "school")
    key = ("coverage.students", "all")
    await tell(next_version(MEETING, status="voided"))
    assert (await restated(client, report))[key]["since"] is None, "not announced yet"
    await announcer.round()
    await tell(next_version(next_version(MEETING)))
    await announcer.round()
    back = await connection.fetchval("select clock_timestamp()")
    await tell(next_version(next_version(next_version(MEETING)), status="voided"))
    await announcer.round()
    first = datetime.fromisoformat((await restated(client, report))[key]["since"])
    assert first > back, "it was right again in between"
    await tell(person("e", "school"))
    await announcer.round()
    again = (await restated(client, report))[key]
    assert datetime.fromisoformat(again["since"]) == first
    assert again["after"]["denominator"] == 5


@pytest.fixture
def announcer(metrics_settings: MetricsSettings) -> Announcer:
    return Announcer(
        metrics_settings,
        db.create_sessions(db.create_engine(metrics_settings)),
        Outbox(OUTBOX, "http://x/schemas"),
        Definitions(None),
        ProjectorMetrics(CollectorRegistry()),
    )


@pytest.mark.usefixtures("world")
async def test_only_a_frozen_report_has_restatements(client: httpx.AsyncClient) -> None:
    report = await opened(client, "school")
    response = await client.get(f"/reports/{report}/restatements")
    assert (response.status_code, response.json()["code"]) == (409, "report.not_frozen")
    for path in ("", "/values", "/restatements", "/export.csv", "/export.xlsx"):
        response = await client.get(f"/reports/{ident('nothing')}{path}")
        assert (response.status_code, response.json()["code"]) == (404, "report.not_found")
    response = await client.get(f"/reports/{report}:submit")
    assert response.status_code == 405


async def test_the_migrations_make_the_tables_described(metrics_settings: MetricsSettings) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))

    engine = db.create_engine(metrics_settings)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


@pytest.mark.usefixtures("world")
async def test_of_many_at_once_one_opens_and_one_moves_it(client: httpx.AsyncClient) -> None:
    body = {"unit_id": str(ident("school")), "school_year": YEAR}
    opening = await asyncio.gather(*(client.post("/reports", json=body) for _ in range(5)))
    assert sorted(r.status_code for r in opening) == [201, 409, 409, 409, 409]
    report = next(r.json()["id"] for r in opening if r.status_code == 201)
    for action in ("submit", "accept", "freeze"):
        moving = await asyncio.gather(*(moved(client, report, action) for _ in range(5)))
        assert sorted(r.status_code for r in moving) == [200, 409, 409, 409, 409]
    last = (await client.get(f"/reports/{report}")).json()
    assert (last["version"], len(last["history"])) == (4, 3)
