"""Last part of the scenario: endings of mentorships; records corrected and voided."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any

from nastavnik_local.sample import assessments, surveys
from nastavnik_local.sample_model import Mentorship, Session
from nastavnik_local.scenario_api import Api, Json
from nastavnik_local.scenario_board import Board
from nastavnik_local.scenario_work import Work, attendance

_IN_FLIGHT = 4
_ENDED = "mentorship.wrong_status"  # what a repeated run is told: it is so already


async def fix(work: Work, api: Api, board: Board) -> None:
    """Correct and void sessions, surveys, assessments; pause, complete, terminate mentorships."""
    changes = [_fix_session(work, m, s, api) for m, s in work.sessions() if s.fix]
    changes += [_end(work, m, api) for m in work.mentorships if m.ending]
    changes += _fixes_of_records(work, api)
    board.expect("changes", len(changes))
    gate = asyncio.Semaphore(_IN_FLIGHT)

    async def one(change: Awaitable[None]) -> None:
        async with gate:
            await change
        board.done("changes")

    async with asyncio.TaskGroup() as group:
        for change in changes:
            group.create_task(one(change))


def _fixes_of_records(work: Work, api: Api) -> list[Coroutine[Any, Any, None]]:
    about = work.region, work.place, work.mentorships
    voided = [s for s in surveys(*about) if s.voided]
    wrong = [a for a in assessments(*about) if a.corrected is not None]
    return [
        *(_void(f"/surveys/{work.ident('survey', s.key)}", api) for s in voided),
        *(
            _patch(f"/assessments/{work.ident('assessment', a.key)}", {"value": a.corrected}, api)
            for a in wrong
        ),
    ]


async def _void(path: str, api: Api) -> None:
    await api.send("activity", "POST", f"{path}:void", {"reason": "entered_twice"})


async def _patch(path: str, body: Json, api: Api) -> None:
    await api.send("activity", "PATCH", path, body)


async def _fix_session(work: Work, mentorship: Mentorship, session: Session, api: Api) -> None:
    path = f"/sessions/{work.session_id(mentorship, session)}"
    if session.fix == "voided":
        await _void(path, api)
    else:
        await _patch(path, _correction(work, mentorship, session), api)


def _correction(work: Work, mentorship: Mentorship, session: Session) -> Json:
    """Another duration, other people who came, or it did not take place after all."""
    if session.number % 3 == 0:
        return {"duration_minutes": session.minutes + 15}
    if session.number % 3 == 1:
        first_mentee = next(sid for sid, role in mentorship.members if role == "mentee")
        return {"attendance": attendance(work, mentorship, [first_mentee])}
    return {"status": "cancelled"}


async def _end(work: Work, mentorship: Mentorship, api: Api) -> None:
    ending = mentorship.ending
    assert ending is not None
    body: Json = {"on": ending.on.isoformat()}
    if ending.reason:
        body["reason"] = ending.reason
    path = f"/mentorships/{work.id_of(mentorship)}:{ending.action}"
    await api.send("activity", "POST", path, body, allow=(_ENDED,))
