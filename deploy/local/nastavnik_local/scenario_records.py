"""Part of the scenario at activity: surveys, assessments, contributions, gatherings."""

import asyncio

import msgspec

from nastavnik_local.sample import assessments, contributions, gatherings, surveys
from nastavnik_local.sample_records import Assessment, Contribution, Gathering, Survey
from nastavnik_local.scenario_api import Api, Json
from nastavnik_local.scenario_board import Board
from nastavnik_local.scenario_programmes import several
from nastavnik_local.scenario_work import CATCHING_UP, PATIENCE, Work, send_all

_LINES = 2_000  # of one batch
_CREATED = 201
_PAUSE = 0.5


async def send_records(work: Work, api: Api, board: Board) -> None:
    region, place = work.region, work.place
    answered = [_survey(work, s) for s in surveys(region, place, work.mentorships)]
    board.expect("surveys", len(answered))
    await send_all(api, board, "surveys", answered, _LINES)
    assessed = [_assessment(work, a) for a in assessments(region, place, work.mentorships)]
    board.expect("assessments", len(assessed))
    await send_all(api, board, "assessments", assessed, _LINES)
    given = [("/contributions", _contribution(work, c)) for c in contributions(region, place)]
    held = [("/gatherings", _gathering(work, g)) for g in gatherings(region, place)]
    await several([_post(path, body, api, board) for path, body in given + held], "records", board)


async def _post(path: str, body: Json, api: Api, board: Board) -> None:
    """Again and again while activity has not heard of the organisation or the partner yet."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        late = asyncio.get_running_loop().time() > deadline
        answer = await api.send("activity", "POST", path, body, allow=() if late else CATCHING_UP)
        if not answer.code:
            board.done("records", created=answer.status == _CREATED)
            return
        await asyncio.sleep(_PAUSE)


def _about(work: Work, record: Survey | Assessment) -> Json:
    """The mentorship, or else the organisation."""
    if record.mentorship is not None:
        return {"mentorship_id": work.ident("mentorship", record.mentorship)}
    assert record.org is not None
    return {"organization_id": work.ids[record.org]}


def _survey(work: Work, survey: Survey) -> bytes:
    body: Json = {
        "id": work.ident("survey", survey.key),
        **_about(work, survey),
        "questionnaire": survey.questionnaire,
        "questionnaire_version": survey.version,
        "respondent_id": work.ids[survey.respondent],
        "stage": survey.stage,
        "date": survey.on,
        "answers": [{"item": item, "value": value} for item, value in survey.answers],
    }
    if survey.role:
        body["respondent_role"] = survey.role
    return msgspec.json.encode(body)


def _assessment(work: Work, assessment: Assessment) -> bytes:
    body: Json = {
        "id": work.ident("assessment", assessment.key),
        **_about(work, assessment),
        "subject_kind": assessment.subject_kind,
        "subject_id": work.ids[assessment.subject],
        "domain": assessment.domain,
        "instrument": assessment.instrument,
        "stage": assessment.stage,
        "date": assessment.on,
        "value": assessment.value,
        "higher_is_better": assessment.higher_is_better,
    }
    return msgspec.json.encode(body)


def _contribution(work: Work, contribution: Contribution) -> Json:
    return {
        "id": work.ident("contribution", contribution.key),
        "organization_id": work.ids[contribution.org],
        "partner_kind": contribution.partner_kind,
        "partner_id": work.ids[contribution.partner] if contribution.partner else None,
        "kind": contribution.kind,
        "amount": contribution.amount,
        "date": contribution.on.isoformat(),
    }


def _gathering(work: Work, gathering: Gathering) -> Json:
    return {
        "id": work.ident("gathering", gathering.key),
        "organization_id": work.ids[gathering.org],
        "status": "held" if gathering.held else "cancelled",
        "date": gathering.on.isoformat(),
        "duration_minutes": gathering.minutes,
        "technology": gathering.technology,
        "audience": list(gathering.audience),
        "attendees": gathering.attendees,
    }
