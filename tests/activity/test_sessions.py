"""Sessions over HTTP: logged, corrected, voided, deleted."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec
import pytest
from fastapi import FastAPI

from tests.activity import make
from tests.activity.talk import batch, code, events, move


async def test_a_session_is_logged_corrected_voided_and_deleted(
    client: httpx.AsyncClient, pair: UUID, connection: asyncpg.Connection, school: make.School
) -> None:
    made = await client.post("/sessions", json=make.session(pair, audience=["parents", "mentees"]))
    assert made.status_code == 201, made.text
    body = made.json()
    assert body["starts_at"] == "2025-10-01T14:00:00+03:00"
    assert body["date"] == "2025-10-01"
    assert body["audience"] == ["mentees", "parents"]
    assert {a["participant_id"] for a in body["attendance"]} == set(map(str, school.people[:2]))
    path = f"/sessions/{body['id']}"
    same = await client.patch(path, json={"duration_minutes": 45})
    assert same.headers["etag"] == '"1"'
    late = await client.patch(path, json={"starts_at": "2025-10-01T23:30:00Z"})
    assert (late.json()["version"], late.json()["date"]) == (2, "2025-10-01")
    cancelled = await client.patch(path, json={"status": "cancelled"})
    assert cancelled.json()["attendance"] == []
    held = await client.patch(path, json={"status": "held"})
    assert len(held.json()["attendance"]) == 2
    assert (await client.post(f"{path}:void", json={"reason": "wrong_pair"})).status_code == 200
    again = await client.post(f"{path}:void")
    assert (again.status_code, again.json()["version"]) == (200, 5)
    assert code(await client.patch(path, json={"duration_minutes": 30})) == (409, "session.voided")
    assert (await client.delete(path)).status_code == 200
    assert code(await client.get(path)) == (404, "session.not_found")
    verbs = ["logged", "corrected", "corrected", "corrected", "voided", "deleted"]
    assert await events(connection, "sessions") == [
        (verb, version, str(pair)) for version, verb in enumerate(verbs, 1)
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"starts_at": "2025-08-31T14:00:00+03:00"}, "session.before_mentorship"),
        # already September where the client is
        ({"starts_at": "2025-09-01T00:30:00+12:00"}, None),
        ({"starts_at": "2025-08-31T22:30:00-11:00"}, "session.before_mentorship"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "session.before_mentorship"),
        ({"starts_at": "9999-12-31T23:59:59-12:00"}, "session.in_future"),
        ({"starts_at": "9999-12-31T23:59:59-12:00", "duration_minutes": 2**31}, "session.too_long"),
        ({"duration_minutes": 721}, "session.too_long"),
        ({"duration_minutes": 10**40}, "session.too_long"),
        ({"duration_minutes": 720}, None),
        ({"mentorship_id": str(uuid4())}, "mentorship.unknown"),
        (
            {"attendance": [{"participant_id": str(uuid4()), "attended": True}]},
            "session.outsider",
        ),
        ({"status": "cancelled"}, None),
        ({"attendance": []}, None),
    ],
)
async def test_rules_hold_for_one_and_for_a_batch(
    client: httpx.AsyncClient, pair: UUID, more: dict[str, Any], expected: str | None
) -> None:
    body = {**make.session(pair), **more}
    lines = await batch(client, [{**body, "id": str(uuid4())}])
    found = lines[0].get("problem", {}).get("code")
    assert (found, lines[0]["status"]) == (expected, "error" if expected else "created")
    if expected is None:
        await client.delete(f"/sessions/{lines[0]['id']}")
    answer = await client.post("/sessions", json=body)
    assert answer.json().get("code") == expected
    assert answer.status_code == (422 if expected else 201)


async def test_now_is_allowed_and_soon_is_not(client: httpx.AsyncClient, pair: UUID) -> None:
    now = datetime.now(UTC)
    near = make.session(pair, (now + timedelta(minutes=4)).isoformat())
    assert (await client.post("/sessions", json=near)).status_code == 201
    soon = make.session(pair, (now + timedelta(minutes=6)).isoformat())
    assert code(await client.post("/sessions", json=soon)) == (422, "session.in_future")


async def test_sessions_lie_in_the_periods(client: httpx.AsyncClient, pair: UUID) -> None:
    await move(client, pair, "pause", "2025-10-10")
    await move(client, pair, "resume", "2025-11-01")
    await move(client, pair, "complete", "2025-12-01")
    for day, expected in (
        ("10-10", None),
        ("10-11", "session.mentorship_not_active"),
        ("10-31", "session.mentorship_not_active"),
        ("11-01", None),
        ("12-01", None),
        ("12-02", "session.mentorship_not_active"),
    ):
        answer = await client.post("/sessions", json=make.session(pair, f"2025-{day}T10:00:00Z"))
        assert answer.json().get("code") == expected, day


async def test_held_sessions_do_not_overlap(client: httpx.AsyncClient, pair: UUID) -> None:
    async def log(at: str, **more: Any) -> httpx.Response:
        return await client.post(
            "/sessions", json=make.session(pair, f"2025-10-01T{at}:00+03:00", **more)
        )

    first = await log("14:00")
    assert code(await log("14:44")) == (422, "session.overlaps")
    assert code(await log("13:30", duration_minutes=31)) == (422, "session.overlaps")
    assert code(await log("13:00", duration_minutes=300)) == (422, "session.overlaps")
    after = await log("14:45")
    assert after.status_code == 201
    assert (await log("13:15")).status_code == 201
    assert (await log("14:00", status="cancelled")).status_code == 201
    longer = {"duration_minutes": 46}
    path = f"/sessions/{first.json()['id']}"
    assert code(await client.patch(path, json=longer)) == (422, "session.overlaps")
    await client.post(f"/sessions/{after.json()['id']}:void")
    assert (await client.patch(path, json=longer)).status_code == 200


async def test_a_draft_has_no_sessions(client: httpx.AsyncClient, school: make.School) -> None:
    draft = (await client.post("/mentorships", json=school.pair())).json()["id"]
    answer = await client.post("/sessions", json=make.session(UUID(draft)))
    assert code(answer) == (422, "session.mentorship_not_active")


async def test_attendance(client: httpx.AsyncClient, school: make.School, pair: UUID) -> None:
    def came(*idents: UUID) -> list[dict[str, Any]]:
        return [{"participant_id": str(i), "attended": True} for i in idents]

    mentor, mentee, stranger = school.people[:3]
    twice = make.session(pair, attendance=came(mentor, mentor))
    answer = await client.post("/sessions", json=twice)
    assert code(answer) == (422, "session.duplicate_attendance")
    off = make.session(pair, attendance=came(mentor), status="cancelled")
    assert code(await client.post("/sessions", json=off))[1] == "session.attendance_of_cancelled"
    made = await client.post("/sessions", json=make.session(pair, attendance=came(mentee)))
    path = f"/sessions/{made.json()['id']}"
    assert code(await client.patch(path, json={"attendance": came(stranger)}))[1] == (
        "session.outsider"
    )
    # the mentee is replaced; what was recorded of the first one may still be corrected
    members = school.pair()["members"]
    members[1]["participant_id"] = str(stranger)
    await client.patch(f"/mentorships/{pair}", json={"members": members})
    both = await client.patch(path, json={"attendance": came(mentee, stranger)})
    assert len(both.json()["attendance"]) == 2
    everyone = await client.patch(path, json={"attendance": None})
    found = {a["participant_id"] for a in everyone.json()["attendance"]}
    assert found == {str(mentor), str(stranger)}


async def test_a_batch_answers_line_by_line(
    client: httpx.AsyncClient, pair: UUID, connection: asyncpg.Connection
) -> None:
    one = {**make.session(pair), "id": str(uuid4())}
    lines = await batch(
        client,
        [
            one,
            one,
            {**one, "duration_minutes": 50},
            make.session(pair, "2025-10-01T14:30:00+03:00"),
            make.session(pair, "2025-10-01T14:45:00+03:00"),
            b"",
            b'{"mentorship_id": "secret", "starts_at": 1}',
            {**make.session(pair), "status": "secret"},
            {**make.session(pair), "secret": 1},
            b"\xff\xfe secret",
            b"[" * 5000,
            {**make.session(pair), "starts_at": "2025-10-02T14:00:00"},
        ],
    )
    assert [line["line"] for line in lines] == list(range(1, 13))
    assert [line.get("problem", {}).get("code", line["status"]) for line in lines] == [
        "created",
        "unchanged",
        "session.id_conflict",
        "session.overlaps",
        "created",
        *["line.invalid"] * 7,
    ]
    assert lines[0]["id"] == lines[1]["id"] == one["id"]
    assert "secret" not in str(lines)
    assert lines[11]["problem"]["detail"].endswith("at $.starts_at")
    assert len(await events(connection, "sessions")) == 2
    again = await batch(client, [one, make.session(pair, "2025-10-01T14:50:00+03:00")])
    assert [line["status"] for line in again] == ["unchanged", "error"]


async def test_the_same_batch_under_a_key_is_done_once(
    client: httpx.AsyncClient, pair: UUID, connection: asyncpg.Connection, app: FastAPI
) -> None:
    content = msgspec.json.encode(make.session(pair))
    headers = {"content-type": "application/x-ndjson", "idempotency-key": "batch-1"}
    answers = [
        await client.post("/sessions:batch", content=content, headers=headers) for _ in range(2)
    ]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["content-type"] == "application/x-ndjson"
    assert await connection.fetchval("select count(*) from session") == 1
    metrics = (await client.get("/metrics")).text
    assert 'nastavnik_sessions_logged_total{status="held"} 1.0' in metrics


async def test_limits_of_a_batch(client: httpx.AsyncClient, pair: UUID) -> None:
    headers = {"content-type": "application/x-ndjson"}
    long = await client.post("/sessions:batch", content=b"{}\n" * 10_001, headers=headers)
    assert code(long) == (413, "batch.too_long")
    assert code(await client.post("/sessions:batch", json={})) == (415, "batch.content_type")
    nothing = await client.post("/sessions:batch", content=b"", headers=headers)
    assert (nothing.status_code, nothing.content) == (200, b"")


async def test_a_batch_of_mentorships(
    client: httpx.AsyncClient, school: make.School, connection: asyncpg.Connection
) -> None:
    good = school.pair(id=str(uuid4()), active_from="2025-09-01")
    lines = await batch(
        client,
        [good, school.pair(form="nothing_known"), school.pair(), good, {**good, "type": "group"}],
        "/mentorships:batch",
    )
    assert [line.get("problem", {}).get("code", line["status"]) for line in lines] == [
        "created",
        "form.unknown",
        "created",
        "unchanged",
        "mentorship.id_conflict",
    ]
    verbs = [verb for verb, *_ in await events(connection, "mentorships")]
    assert verbs == ["activated", "drafted"]


async def test_of_many_at_once_one_wins(
    client: httpx.AsyncClient, pair: UUID, connection: asyncpg.Connection
) -> None:
    bodies = [make.session(pair, f"2025-10-01T14:{n:02d}:00+03:00") for n in range(8)]
    answers = await asyncio.gather(*(client.post("/sessions", json=body) for body in bodies))
    assert sorted(a.status_code for a in answers) == [201] + [422] * 7
    body = {**make.session(pair, "2025-10-03T14:00:00+03:00"), "id": str(uuid4())}
    same = await asyncio.gather(*(client.post("/sessions", json=body) for _ in range(8)))
    assert sorted(a.status_code for a in same) == [200] * 7 + [201]
    assert await connection.fetchval("select count(*) from session") == 2


async def test_the_same_id_in_two_mentorships_at_once(
    client: httpx.AsyncClient, school: make.School, pair: UUID
) -> None:
    other = await client.post("/mentorships", json=school.pair(active_from="2025-09-01"))
    ident = str(uuid4())
    bodies = [{**make.session(m), "id": ident} for m in (pair, other.json()["id"])] * 3
    answers = await asyncio.gather(*(client.post("/sessions", json=body) for body in bodies))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200, 200, 201, 409, 409, 409]


async def test_lists_filter_by_day_and_organization(
    client: httpx.AsyncClient, school: make.School, pair: UUID
) -> None:
    for day in range(1, 6):
        body = make.session(pair, f"2025-10-{day:02d}T00:30:00+10:00")
        await client.post("/sessions", json=body)
    for query, count in (
        ({"from": "2025-10-02"}, 4),
        ({"to": "2025-10-02"}, 1),
        ({"from": "2025-10-02", "to": "2025-10-04"}, 2),
        ({"organization_id": str(school.id)}, 5),
        ({"organization_id": str(uuid4())}, 0),
        ({"mentorship_id": str(pair), "status": "held"}, 5),
        ({"status": "voided"}, 0),
        ({"limit": 2}, 2),
    ):
        items = (await client.get("/sessions", params=query)).json()["items"]
        assert len(items) == count, query


async def test_republish_tells_every_current_state(
    client: httpx.AsyncClient, school: make.School, pair: UUID, connection: asyncpg.Connection
) -> None:
    made = await client.post("/sessions", json=make.session(pair))
    await client.delete(f"/sessions/{made.json()['id']}")
    await connection.execute("delete from outbox")
    answer = await client.post("/admin/republish")
    counts = {kind: count for kind, count in answer.json().items() if count}
    assert (answer.status_code, counts) == (202, {"mentorship": 1, "session": 1})
    assert await events(connection, "mentorships") == [("activated", 1, str(pair))]
    assert await events(connection, "sessions") == [("deleted", 2, str(pair))]
    only = await client.post("/admin/republish", params={"kind": "session"})
    assert (only.json()["mentorship"], only.json()["session"]) == (0, 1)
