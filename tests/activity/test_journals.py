"""Sessions and mentorships by the keys of a journal: said again, corrected, kept for review."""

from typing import Any
from uuid import UUID

import asyncpg
import httpx

from tests.activity import make, talk

SESSIONS, MENTORSHIPS = "/sessions:batch?source=dnevnik", "/mentorships:batch?source=dnevnik"


def line(key: str, starts_at: str = "2025-10-01T14:00:00+03:00", **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "mentorship_key": "П-1",
        "starts_at": starts_at,
        "duration_minutes": 45,
        **more,
    }


async def formed(client: httpx.AsyncClient, school: make.School, **more: Any) -> UUID:
    pair = school.pair(active_from="2025-09-01", **{"key": "П-1", **more})
    (made,) = await talk.batch(client, [pair], MENTORSHIPS)
    return UUID(made["id"])


def did(results: list[Any]) -> list[str]:
    return [r.get("problem", {}).get("code", r["status"]) for r in results]


async def reviews(client: httpx.AsyncClient, **params: str) -> list[Any]:
    answer = await client.get("/sessions/reviews", params=params)
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json()["items"]
    return items


async def test_a_line_said_again_changes_nothing_and_another_corrects(
    client: httpx.AsyncClient, school: make.School, connection: asyncpg.Connection
) -> None:
    await formed(client, school)
    first = [line("1"), line("2", "2025-10-02T14:00:00+03:00")]
    assert did(await talk.batch(client, first, SESSIONS)) == ["created", "created"]
    assert did(await talk.batch(client, first, SESSIONS)) == ["unchanged", "unchanged"]

    corrected = line("1", duration_minutes=30, absent=[str(school.people[1])])
    assert did(await talk.batch(client, [corrected], SESSIONS)) == ["changed"]
    assert did(await talk.batch(client, [corrected], SESSIONS)) == ["unchanged"]
    last = (await talk.values(connection, "sessions"))[-1]
    assert last["duration_minutes"] == 30
    assert {a["participant_id"]: a["attended"] for a in last["attendance"]} == {
        str(school.people[0]): True,
        str(school.people[1]): False,
    }
    voided = line("2", "2025-10-02T14:00:00+03:00", status="voided")
    assert did(await talk.batch(client, [voided, line("9", status="voided")], SESSIONS)) == [
        "changed",
        "session.nothing_to_void",
    ]
    found = await talk.events(connection, "sessions")
    assert [verb for verb, _, _ in found] == ["logged", "logged", "corrected", "voided"]


async def test_the_same_file_does_not_undo_a_correction_made_here(
    client: httpx.AsyncClient, school: make.School
) -> None:
    await formed(client, school)
    (made,) = await talk.batch(client, [line("1")], SESSIONS)
    place = f"/sessions/{made['id']}"
    assert (await client.patch(place, json={"duration_minutes": 60})).status_code == 200
    assert did(await talk.batch(client, [line("1")], SESSIONS)) == ["unchanged"]
    assert (await client.get(place)).json()["duration_minutes"] == 60


async def test_sources_do_not_share_keys(client: httpx.AsyncClient, school: make.School) -> None:
    ident = await formed(client, school)
    named = line("1") | {"mentorship_id": str(ident)}
    del named["mentorship_key"]
    await talk.batch(client, [named], SESSIONS)
    later = named | {"starts_at": "2025-10-03T14:00:00+03:00"}
    assert did(await talk.batch(client, [later], "/sessions:batch?source=bars")) == ["created"]
    twice = await talk.batch(client, [later, later], "/sessions:batch?source=bars")
    assert did(twice) == ["unchanged", "line.repeated_key"]


async def test_mentorships_are_corrected_by_their_key(
    client: httpx.AsyncClient, school: make.School
) -> None:
    ident = await formed(client, school)
    assert await formed(client, school) == ident
    people = [str(p) for p in school.people]
    changed = school.pair(active_from="2025-09-01", key="П-1", sessions_per_month=4)
    changed["members"][1]["participant_id"] = people[5]
    assert did(await talk.batch(client, [changed], MENTORSHIPS)) == ["changed"]
    found = (await client.get(f"/mentorships/{ident}")).json()
    assert (found["sessions_per_month"], found["members"][1]["participant_id"]) == (4, people[5])
    moved = changed | {"active_from": "2025-09-02"}
    assert did(await talk.batch(client, [moved], MENTORSHIPS)) == ["mentorship.start_fixed"]


async def test_an_overlapping_session_waits_and_is_let_go(
    client: httpx.AsyncClient, school: make.School, connection: asyncpg.Connection
) -> None:
    ident = await formed(client, school)
    lines = [line("1"), line("2", "2025-10-01T14:30:00+03:00")]
    made = await talk.batch(client, lines, SESSIONS)
    assert did(made) == ["created", "waiting"]
    assert did(await talk.batch(client, lines, SESSIONS)) == ["unchanged", "waiting"]
    (review,) = await reviews(client, mentorship_id=str(ident))
    assert (review["id"], review["overlaps"]) == (made[1]["id"], [made[0]["id"]])
    assert review["session"]["starts_at"] == "2025-10-01T14:30:00+03:00"
    assert len(await talk.events(connection, "sessions")) == 1

    place = f"/sessions/reviews/{review['id']}:resolve"
    for _ in range(2):
        answer = await client.post(place, json={"resolution": "void", "reason": "duplicate"})
        assert (answer.status_code, answer.json()["status"]) == (200, "voided")
    assert talk.code(await client.post(place, json={"resolution": "keep"})) == (
        409,
        "review.resolved",
    )
    assert await reviews(client) == []
    assert did(await talk.batch(client, lines, SESSIONS)) == ["unchanged", "unchanged"]
    assert len(await talk.events(connection, "sessions")) == 1


async def test_an_overlapping_session_is_kept_instead_of_the_other(
    client: httpx.AsyncClient, school: make.School
) -> None:
    await formed(client, school)
    lines = [line("1"), line("2", "2025-10-01T14:30:00+03:00")]
    first, second = await talk.batch(client, lines, SESSIONS)
    place = f"/sessions/reviews/{second['id']}:resolve"
    assert (await client.post(place, json={"resolution": "keep"})).json()["status"] == "kept"
    statuses = [(await client.get(f"/sessions/{x['id']}")).json() for x in (first, second)]
    assert [s["status"] for s in statuses] == ["voided", "held"]
    assert did(await talk.batch(client, lines, SESSIONS)) == ["unchanged", "unchanged"]


async def test_a_correction_by_the_key_makes_a_waiting_session_fit(
    client: httpx.AsyncClient, school: make.School
) -> None:
    await formed(client, school)
    await talk.batch(client, [line("1"), line("2", "2025-10-01T14:30:00+03:00")], SESSIONS)
    later = line("2", "2025-10-01T15:30:00+03:00")
    assert did(await talk.batch(client, [later], SESSIONS)) == ["created"]
    assert await reviews(client) == []
    (review,) = await reviews(client, status="corrected")
    assert (await client.get(f"/sessions/{review['id']}")).json()["status"] == "held"


async def test_the_list_of_reviews_is_no_session(client: httpx.AsyncClient) -> None:
    answer = await client.patch("/sessions/reviews", json={})
    assert talk.code(answer) == (405, "route.method_not_allowed")
    assert answer.headers["allow"] == "GET"


async def test_a_review_that_is_none(client: httpx.AsyncClient) -> None:
    place = f"/sessions/reviews/{UUID(int=1)}:resolve"
    answer = await client.post(place, json={"resolution": "keep"})
    assert talk.code(answer) == (404, "session_review.not_found")
