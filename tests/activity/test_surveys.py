"""Surveys over HTTP: submitted, corrected, voided, deleted."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.activity import make
from tests.activity.talk import batch, code, events, values

Json = dict[str, Any]
EXIT: Json = {"stage": "exit", "date": "2026-05-20"}


def answered(**changes: int) -> list[Json]:
    return make.answers({**make.MOTIVATION, **changes})


async def test_a_survey_is_submitted_corrected_voided_and_deleted(
    client: httpx.AsyncClient, school: make.School, pair: UUID, connection: asyncpg.Connection
) -> None:
    made = await client.post("/surveys", json=make.survey(pair, school.people[1]))
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    body = made.json()
    path = f"/surveys/{body['id']}"
    assert made.headers["location"] == path
    assert body["scores"] == [{"scale": "motivation", "value": 750}]
    assert (body["respondent_role"], body["questionnaire_version"]) == ("mentee", 1)
    assert body["organization_id"] == str(school.id)
    assert (await client.get(path)).json() == body
    same = await client.patch(path, json={"date": "2025-09-10", "answers": answered()[::-1]})
    assert same.headers["etag"] == '"1"'
    better = await client.patch(path, json={"answers": answered(would_skip=1)})
    assert (better.json()["version"], better.json()["scores"][0]["value"]) == (2, 800)
    # other answers, though the score is the same
    await client.patch(path, json={"answers": answered(interest=4, would_skip=1, effort=5)})
    found = await client.get(f"{path}/answers")
    assert found.headers["etag"] == '"3"'
    assert {a["item"]: a["value"] for a in found.json()["answers"]}["interest"] == 4
    stale = await client.patch(path, json={"date": "2025-09-11"}, headers={"if-match": '"1"'})
    assert code(stale) == (412, "version.stale")
    assert (await client.post(f"{path}:void", json={"reason": "entered_twice"})).status_code == 200
    again = await client.post(f"{path}:void")
    assert (again.json()["status"], again.json()["version"]) == ("voided", 4)
    assert code(await client.patch(path, json={"stage": "exit"})) == (409, "survey.voided")
    assert (await client.delete(path)).status_code == 200
    for answer in (await client.get(path), await client.get(f"{path}/answers")):
        assert code(answer) == (404, "survey.not_found")
    verbs = ["submitted", "corrected", "corrected", "voided", "deleted"]
    assert await events(connection, "surveys") == [
        (verb, version, str(pair)) for version, verb in enumerate(verbs, 1)
    ]
    states = await values(connection, "surveys")
    assert states[0] == {**body, "version": 1}
    assert "answers" not in str(states)
    assert "interest" not in str(states)


@pytest.mark.parametrize(
    ("more", "status", "expected"),
    [
        ({"answers": [*answered(), {"item": "secret", "value": 1}]}, 422, "survey.unknown_item"),
        ({"answers": answered()[1:]}, 422, "survey.missing_answers"),
        ({"answers": answered() + answered()[:1]}, 422, "survey.duplicate_answer"),
        ({"answers": answered(effort=0)}, 422, "survey.score_outside_scale"),
        ({"answers": answered(effort=6)}, 422, "survey.score_outside_scale"),
        ({"answers": answered(effort=10**40)}, 422, "survey.score_outside_scale"),
        ({"answers": answered(effort=5)}, 201, None),
        ({"questionnaire": "nothing"}, 422, "questionnaire.unknown"),
        ({"questionnaire_version": 2}, 422, "questionnaire.unknown"),
        ({"questionnaire_version": 1}, 201, None),
        ({"mentorship_id": str(uuid4())}, 422, "mentorship.unknown"),
        ({"mentorship_id": None}, 422, "survey.mentorship_or_organization"),
        ({"organization_id": str(uuid4())}, 422, "survey.mentorship_or_organization"),
        ({"respondent_id": str(uuid4())}, 422, "survey.respondent_outsider"),
        ({"respondent_role": "mentor"}, 422, "survey.role_mismatch"),
        ({"respondent_role": "mentee"}, 201, None),
        ({"date": "1990-08-31"}, 422, "survey.date_out_of_range"),
        ({"date": "9999-12-31"}, 422, "survey.in_future"),
        ({"questionnaire": "satisfaction"}, 422, "survey.stage_not_asked"),
        ({"stage": "interim"}, 201, None),
    ],
)
async def test_rules_hold_for_one_and_for_a_batch(
    client: httpx.AsyncClient,
    school: make.School,
    pair: UUID,
    more: Json,
    status: int,
    expected: str | None,
) -> None:
    body = {**make.survey(pair, school.people[1]), **more}
    (line,) = await batch(client, [body], "/surveys:batch")
    assert line.get("problem", {}).get("code") == expected
    assert "secret" not in str(line)
    if expected is None:
        await client.delete(f"/surveys/{line['id']}")
    answer = await client.post("/surveys", json=body)
    assert (answer.status_code, answer.json().get("code")) == (status, expected)
    assert "secret" not in answer.text


async def test_tomorrow_may_have_come_where_the_client_is(
    client: httpx.AsyncClient, school: make.School, pair: UUID
) -> None:
    today = datetime.now(UTC).date()
    for days, expected in ((2, (422, "survey.in_future")), (1, (201, None))):
        body = make.survey(pair, school.people[1], date=str(today + timedelta(days=days)))
        answer = await client.post("/surveys", json=body)
        assert (answer.status_code, answer.json().get("code")) == expected


async def test_roles(client: httpx.AsyncClient, school: make.School) -> None:
    roles = ["mentor", "mentee", "curator"]
    made = await client.post("/mentorships", json=school.mentorship("pair", roles))
    pair = UUID(made.json()["id"])
    mentor, mentee, curator, teacher = school.people[:4]
    answer = await client.post("/surveys", json=make.survey(pair, mentor))
    assert answer.json()["respondent_role"] == "mentor"
    curated = await client.post("/surveys", json=make.survey(pair, curator))
    assert code(curated) == (422, "survey.role_not_asked")
    unasked = {"questionnaire": "motivation", "answers": answered()}
    answer = await client.post("/surveys", json=make.climate(school, teacher, **unasked))
    assert code(answer) == (422, "survey.role_not_asked")
    for role in (None, "mentee"):
        answer = await client.post(
            "/surveys", json=make.climate(school, mentee, respondent_role=role)
        )
        assert code(answer) == (422, "survey.role_required")
    assert (await client.post("/surveys", json=make.climate(school, teacher))).status_code == 201


async def test_about_an_organisation(
    client: httpx.AsyncClient, school: make.School, connection: asyncpg.Connection
) -> None:
    teacher = school.people[4]
    unknown = await client.post("/surveys", json=make.climate(school, uuid4()))
    assert code(unknown) == (422, "participant.unknown")
    for ident, expected in (
        (uuid4(), "organization.unknown"),
        (school.municipality, "survey.not_an_organization"),
    ):
        body = make.climate(school, teacher, organization_id=str(ident))
        assert code(await client.post("/surveys", json=body)) == (422, expected)
    made = await client.post("/surveys", json=make.climate(school, teacher))
    assert (made.json()["mentorship_id"], made.json()["scores"][0]["value"]) == (None, 800)
    assert await events(connection, "surveys") == [("submitted", 1, str(school.id))]
    twice = make.climate(school, teacher, date="2025-10-10")
    assert code(await client.post("/surveys", json=twice)) == (409, "survey.duplicate")
    # each school year has its own
    for more, status in (
        ({"date": "2025-08-31"}, 201),
        ({"date": "2026-09-01"}, 201),
        ({"date": "2026-09-02"}, 409),
        ({"stage": "exit", "date": "2026-08-31"}, 201),
        ({"stage": "exit", "date": "2025-08-30"}, 422),
    ):
        answer = await client.post("/surveys", json=make.climate(school, teacher, **more))
        assert answer.status_code == status, more


async def test_stages_come_once_and_in_order(
    client: httpx.AsyncClient, school: make.School, pair: UUID
) -> None:
    person = school.people[1]

    async def submit(who: UUID = person, **more: Any) -> httpx.Response:
        return await client.post("/surveys", json=make.survey(pair, who, **more))

    entry = f"/surveys/{(await submit()).json()['id']}"
    assert code(await submit(date="2026-10-01")) == (409, "survey.duplicate")
    early = await submit(stage="exit", date="2025-09-09")
    assert code(early) == (422, "survey.exit_before_entry")
    assert (await submit(stage="exit", date="2025-09-10")).status_code == 201
    assert code(await submit(**EXIT)) == (409, "survey.duplicate")
    assert code(await client.patch(entry, json={"date": "2025-09-11"})) == (
        422,
        "survey.exit_before_entry",
    )
    assert code(await client.patch(entry, json={"stage": "exit"})) == (409, "survey.duplicate")
    for day, status in (("2025-12-01", 201), ("2025-12-02", 201), ("2025-12-01", 409)):
        assert (await submit(stage="interim", date=day)).status_code == status
    assert (await submit(who=school.people[0], **EXIT)).status_code == 201
    late = await submit(who=school.people[0], date="2026-05-21")
    assert code(late) == (422, "survey.exit_before_entry")
    # a voided or deleted one makes room
    await client.post(f"{entry}:void")
    second = await submit(date="2025-09-05")
    assert second.status_code == 201
    await client.delete(f"/surveys/{second.json()['id']}")
    assert (await submit(date="2025-09-06")).status_code == 201


async def test_lines_of_a_batch_see_each_other(
    client: httpx.AsyncClient, school: make.School, pair: UUID, connection: asyncpg.Connection
) -> None:
    mentor, mentee = school.people[:2]
    ident = str(uuid4())
    bodies = [
        make.survey(pair, mentee, id=ident),
        make.survey(pair, mentee, date="2025-09-12"),
        make.survey(pair, mentee, stage="exit", date="2025-09-09"),
        b"{",
        make.survey(pair, mentee, **EXIT),
        make.survey(pair, mentee, id=ident, answers=answered()[::-1]),
        make.survey(pair, mentor, id=ident),
        make.survey(pair, mentor),
    ]
    lines = await batch(client, bodies, "/surveys:batch")
    assert [line["line"] for line in lines] == list(range(1, 9))
    assert [line.get("problem", {}).get("code", line["status"]) for line in lines] == [
        "created",
        "survey.duplicate",
        "survey.exit_before_entry",
        "line.invalid",
        "created",
        "unchanged",
        "survey.id_conflict",
        "created",
    ]
    assert len(await events(connection, "surveys")) == 3


async def test_a_repeat_is_recognised(
    client: httpx.AsyncClient, school: make.School, pair: UUID
) -> None:
    body = make.survey(pair, school.people[1], id=str(uuid4()))
    headers = {"idempotency-key": "k" * 20}
    first = await client.post("/surveys", json=body, headers=headers)
    replay = await client.post("/surveys", json=body, headers=headers)
    assert (replay.status_code, replay.json()) == (201, first.json())
    assert (await client.post("/surveys", json=body)).status_code == 200
    other = {**body, "answers": answered(effort=1)}
    assert code(await client.post("/surveys", json=other)) == (409, "survey.id_conflict")
    metrics = (await client.get("/metrics")).text
    assert 'nastavnik_surveys_submitted_total{stage="entry"} 1.0' in metrics


@pytest.mark.parametrize("about", ["mentorship", "organization"])
async def test_of_many_at_once_one_is_taken(
    client: httpx.AsyncClient, school: make.School, pair: UUID, about: str
) -> None:
    person = school.people[1]
    body = make.survey(pair, person) if about == "mentorship" else make.climate(school, person)
    answers = await asyncio.gather(*(client.post("/surveys", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"survey.duplicate"}


async def test_entry_and_exit_do_not_slip_past_each_other(
    client: httpx.AsyncClient, school: make.School, pair: UUID
) -> None:
    entry = make.survey(pair, school.people[1], date="2025-10-02")
    crossed = make.survey(pair, school.people[1], stage="exit", date="2025-10-01")
    answers = await asyncio.gather(
        *(client.post("/surveys", json=body) for body in (entry, crossed))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 422]


async def test_lists_filter(client: httpx.AsyncClient, school: make.School, pair: UUID) -> None:
    mentor, mentee, teacher = school.people[:3]
    for body in (
        make.survey(pair, mentor),
        make.survey(pair, mentee),
        make.survey(pair, mentee, **EXIT),
        make.climate(school, teacher, date="2025-09-11"),
    ):
        assert (await client.post("/surveys", json=body)).status_code == 201
    for query, count in (
        ({}, 4),
        ({"mentorship_id": str(pair)}, 3),
        ({"organization_id": str(school.id)}, 4),
        ({"respondent_id": str(mentee)}, 2),
        ({"questionnaire": "climate"}, 1),
        ({"stage": "exit", "status": "valid"}, 1),
        ({"status": "voided"}, 0),
        ({"from": "2025-09-11"}, 2),
        ({"to": "2025-09-11"}, 2),
        ({"limit": 3}, 3),
    ):
        page = (await client.get("/surveys", params=query)).json()
        assert len(page["items"]) == count, query
    rest = await client.get("/surveys", params={"limit": 3})
    more = await client.get("/surveys", params={"cursor": rest.json()["next_cursor"]})
    assert len(more.json()["items"]) == 1


async def test_a_mentorship_with_surveys_is_not_deleted(
    client: httpx.AsyncClient, school: make.School, pair: UUID
) -> None:
    made = await client.post("/surveys", json=make.survey(pair, school.people[1]))
    measured = await client.post("/assessments", json=make.assessment(pair, school.people[1]))
    path = f"/mentorships/{pair}"
    assert code(await client.delete(path)) == (409, "mentorship.has_surveys")
    await client.post(f"/surveys/{made.json()['id']}:void")
    assert code(await client.delete(path)) == (409, "mentorship.has_assessments")
    await client.delete(f"/assessments/{measured.json()['id']}")
    assert (await client.delete(path)).status_code == 200


async def test_who_answered_may_leave_later(
    client: httpx.AsyncClient, school: make.School, pair: UUID
) -> None:
    made = await client.post("/surveys", json=make.survey(pair, school.people[1]))
    members = [
        {"participant_id": str(school.people[0]), "role": "mentor"},
        {"participant_id": str(school.people[2]), "role": "mentee"},
    ]
    await client.patch(f"/mentorships/{pair}", json={"members": members})
    answer = await client.patch(f"/surveys/{made.json()['id']}", json={"date": "2025-09-09"})
    assert (answer.status_code, answer.json()["respondent_role"]) == (200, "mentee")
