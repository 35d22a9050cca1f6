"""Mentorships over HTTP: formed, moved through their lifecycle, corrected, deleted."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.activity import make
from tests.activity.talk import code, events, move


async def test_a_draft_lives_through_its_whole_life(
    client: httpx.AsyncClient, school: make.School, connection: asyncpg.Connection
) -> None:
    made = await client.post("/mentorships", json=school.pair(sessions_per_month=4))
    assert made.status_code == 201
    assert made.headers["etag"] == '"1"'
    ident = made.json()["id"]
    assert made.headers["location"] == f"/mentorships/{ident}"
    assert (made.json()["status"], made.json()["periods"]) == ("draft", [])

    for action, on, more in (
        ("activate", "2025-09-10", {}),
        ("pause", "2025-10-01", {"reason": "illness"}),
        ("resume", "2025-11-01", {}),
        ("complete", "2026-02-01", {}),
        ("reopen", "2026-03-01", {}),
        ("terminate", "2026-04-01", {"reason": "moved_away"}),
    ):
        answer = await move(client, ident, action, on, **more)
        assert answer.status_code == 200, answer.text
    state = (await client.get(f"/mentorships/{ident}")).json()
    assert state["status"] == "terminated"
    assert state["reason"] == "moved_away"
    assert state["version"] == 7
    assert state["periods"] == [
        {"since": "2025-09-10", "until": "2025-10-02"},
        {"since": "2025-11-01", "until": "2026-02-02"},
        {"since": "2026-03-01", "until": "2026-04-02"},
    ]
    verbs = ["drafted", "activated", "paused", "resumed", "completed", "reopened", "terminated"]
    assert await events(connection, "mentorships") == [
        (verb, version, ident) for version, verb in enumerate(verbs, 1)
    ]


async def test_rules_of_transitions(client: httpx.AsyncClient, pair: UUID) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert code(await move(client, pair, "activate", "2025-09-01")) == (
        409,
        "mentorship.wrong_status",
    )
    assert code(await move(client, pair, "terminate", "2025-10-01")) == (
        422,
        "mentorship.reason_required",
    )
    backwards = await move(client, pair, "pause", "2025-08-31")
    assert code(backwards) == (409, "mentorship.date_backwards")
    later = await move(client, pair, "pause", str(tomorrow + timedelta(days=1)))
    assert code(later) == (422, "mentorship.date_in_future")
    assert code(await move(client, pair, "pause", "1889-01-01"))[1] == (
        "mentorship.date_out_of_range"
    )
    assert (await move(client, pair, "pause", str(tomorrow))).status_code == 200
    assert code(await move(client, uuid4(), "pause", "2025-10-01")) == (404, "mentorship.not_found")


async def test_it_may_begin_meet_and_end_on_one_day(client: httpx.AsyncClient, pair: UUID) -> None:
    met = await client.post("/sessions", json=make.session(pair, "2025-09-01T10:00:00Z"))
    assert met.status_code == 201
    answer = await move(client, pair, "complete", "2025-09-01")
    assert answer.json()["periods"] == [{"since": "2025-09-01", "until": "2025-09-02"}]
    backwards = await move(client, pair, "reopen", "2025-08-01")
    assert code(backwards) == (409, "mentorship.date_backwards")


@pytest.mark.parametrize(("ends", "again"), [("complete", "reopen"), ("pause", "resume")])
@pytest.mark.parametrize(
    ("on", "periods"),
    [
        ("2025-10-10", [("2025-09-01", "2025-12-02")]),
        ("2025-10-11", [("2025-09-01", "2025-12-02")]),
        ("2025-10-12", [("2025-09-01", "2025-10-11"), ("2025-10-12", "2025-12-02")]),
    ],
)
async def test_periods_that_touch_are_one(
    client: httpx.AsyncClient,
    pair: UUID,
    ends: str,
    again: str,
    on: str,
    periods: list[tuple[str, str]],
) -> None:
    await move(client, pair, ends, "2025-10-10")
    await move(client, pair, again, on)
    answer = await move(client, pair, ends, "2025-12-01")
    assert [(p["since"], p["until"]) for p in answer.json()["periods"]] == periods


async def test_ending_while_paused_moves_no_period(client: httpx.AsyncClient, pair: UUID) -> None:
    await move(client, pair, "pause", "2025-10-10")
    answer = await move(client, pair, "complete", "2025-12-01")
    assert answer.json()["periods"] == [{"since": "2025-09-01", "until": "2025-10-11"}]


async def test_it_does_not_end_before_its_sessions(client: httpx.AsyncClient, pair: UUID) -> None:
    logged = await client.post("/sessions", json=make.session(pair))
    assert code(await move(client, pair, "complete", "2025-09-30")) == (
        409,
        "mentorship.sessions_after",
    )
    await client.post(f"/sessions/{logged.json()['id']}:void")
    assert (await move(client, pair, "complete", "2025-09-30")).status_code == 200


@pytest.mark.parametrize(
    ("kind", "roles", "expected"),
    [
        ("pair", ["mentor"], "mentorship.bad_composition"),
        ("pair", ["mentor", "mentee", "mentee"], "mentorship.bad_composition"),
        ("pair", ["mentor", "mentee", "curator"], None),
        ("group", ["mentor", "mentee"], "mentorship.bad_composition"),
        ("group", ["mentor", "mentor", "curator"], "mentorship.bad_composition"),
        ("group", ["mentor", "mentee", "curator"], None),
    ],
)
async def test_composition(
    client: httpx.AsyncClient, school: make.School, kind: str, roles: list[str], expected: str
) -> None:
    answer = await client.post("/mentorships", json=school.mentorship(kind, roles))
    assert (answer.json().get("code"), answer.status_code) == (expected, 422 if expected else 201)


async def test_what_it_refers_to_must_exist(client: httpx.AsyncClient, school: make.School) -> None:
    async def refused(**more: Any) -> str:
        answer = await client.post("/mentorships", json={**school.pair(), **more})
        assert answer.status_code == 422
        found: str = answer.json()["code"]
        return found

    twice = [school.pair()["members"][0]] * 2
    stranger = [{"participant_id": str(uuid4()), "role": "mentee"}]
    far = str(date.today().replace(year=date.today().year + 2))  # noqa: DTZ011
    assert await refused(organization_id=str(uuid4())) == "organization.unknown"
    territory = str(school.municipality)
    assert await refused(organization_id=territory) == "mentorship.not_an_organization"
    assert await refused(form="nothing_known") == "form.unknown"
    assert await refused(members=twice) == "mentorship.duplicate_member"
    members = school.pair()["members"][:1] + stranger
    assert await refused(members=members) == "participant.unknown"
    assert await refused(active_from=far) == "mentorship.date_in_future"


async def test_a_repeat_is_recognised(
    client: httpx.AsyncClient, school: make.School, connection: asyncpg.Connection
) -> None:
    body = school.pair(id=str(uuid4()), active_from="2025-09-01")
    assert (await client.post("/mentorships", json=body)).status_code == 201
    await move(client, body["id"], "pause", "2025-12-01")
    reordered = {**body, "members": body["members"][::-1]}
    again = await client.post("/mentorships", json=reordered)
    assert (again.status_code, again.json()["status"]) == (200, "paused")
    other = await client.post("/mentorships", json={**body, "sessions_per_month": 2})
    assert code(other) == (409, "mentorship.id_conflict")
    assert len(await events(connection, "mentorships")) == 2


async def test_corrections(
    client: httpx.AsyncClient,
    school: make.School,
    pair: UUID,
    connection: asyncpg.Connection,
) -> None:
    path = f"/mentorships/{pair}"
    same = await client.patch(path, json={"form": "student_student"})
    assert (same.status_code, same.headers["etag"]) == (200, '"1"')
    stale = await client.patch(path, json={"sessions_per_month": 3}, headers={"if-match": '"7"'})
    assert code(stale) == (412, "version.stale")
    members = school.mentorship("pair", ["mentor", "curator", "mentee"])["members"]
    changed = await client.patch(path, json={"members": members}, headers={"if-match": '"1"'})
    assert changed.json()["version"] == 2
    assert len(changed.json()["members"]) == 3
    assert code(await client.patch(path, json={"members": members[:2]}))[1] == (
        "mentorship.bad_composition"
    )
    assert code(await client.patch(path, json={"members": None}))[1] == "request.invalid"
    await move(client, pair, "complete", "2026-01-01")
    closed = await client.patch(path, json={"sessions_per_month": 3})
    assert code(closed) == (409, "mentorship.closed")
    verbs = [verb for verb, *_ in await events(connection, "mentorships")]
    assert verbs == ["activated", "changed", "completed"]


async def test_deletion_leaves_a_tombstone_and_a_marker(
    client: httpx.AsyncClient,
    school: make.School,
    connection: asyncpg.Connection,
) -> None:
    body = school.pair(id=str(uuid4()), active_from="2025-09-01")
    await client.post("/mentorships", json=body)
    path = f"/mentorships/{body['id']}"
    logged = await client.post("/sessions", json=make.session(UUID(body["id"])))
    assert code(await client.delete(path)) == (409, "mentorship.has_sessions")
    await client.post(f"/sessions/{logged.json()['id']}:void", json={"reason": "entered_twice"})
    assert (await client.delete(path)).status_code == 200
    assert code(await client.get(path)) == (404, "mentorship.not_found")
    assert code(await client.delete(path)) == (404, "mentorship.not_found")
    assert code(await client.post("/mentorships", json=body)) == (409, "mentorship.id_conflict")
    assert code(await client.post("/sessions", json=make.session(UUID(body["id"])))) == (
        422,
        "mentorship.unknown",
    )
    assert (await events(connection, "mentorships"))[-1] == ("deleted", 2, body["id"])


async def test_lists_page_and_filter(client: httpx.AsyncClient, school: make.School) -> None:
    made = []
    for n in range(7):
        more = {"active_from": "2025-09-01"} if n % 2 else {}
        answer = await client.post("/mentorships", json=school.pair(**more))
        made.append(answer.json()["id"])
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3, "organization_id": str(school.id)}
    while True:
        page = (await client.get("/mentorships", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == sorted(made)
    for query, count in (
        ({"status": "active"}, 3),
        ({"form": "employer_pupil"}, 0),
        ({"participant_id": str(school.people[1])}, 7),
        ({"participant_id": str(school.people[5])}, 0),
    ):
        assert len((await client.get("/mentorships", params=query)).json()["items"]) == count


async def test_forms(client: httpx.AsyncClient, school: make.School) -> None:
    form = {"code": "head_teacher", "name": "Руководитель – педагог"}
    form["federal_form"] = "teacher_teacher"
    assert (await client.post("/forms", json=form)).status_code == 201
    assert (await client.post("/forms", json=form)).status_code == 200
    other = {**form, "federal_form": "employer_pupil"}
    assert code(await client.post("/forms", json=other)) == (409, "form.id_conflict")
    federal = {**form, "code": "employer_pupil"}
    assert code(await client.post("/forms", json=federal)) == (409, "form.id_conflict")
    codes: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = (await client.get("/forms", params={"limit": 2, **cursor})).json()
        codes += [item["code"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert codes == sorted(codes)
    assert len(codes) == 6
    made = await client.post("/mentorships", json=school.pair(form="head_teacher"))
    assert made.json()["federal_form"] == "teacher_teacher"
