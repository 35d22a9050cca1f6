"""Third part of the scenario: endings of mentorships, corrected and voided sessions."""

import asyncio
from collections.abc import Awaitable

from nastavnik_local.sample_model import Mentorship, Session
from nastavnik_local.scenario_api import Api, Json
from nastavnik_local.scenario_board import Board
from nastavnik_local.scenario_work import Work, attendance

_IN_FLIGHT = 4
_ENDED = "mentorship.wrong_status"  # what a repeated run is told: it is so already


async def fix(work: Work, api: Api, board: Board) -> None:
    """Correct and void sessions; pause, complete and terminate mentorships."""
    sessions = [(m, s) for m, s in work.sessions() if s.fix]
    endings = [m for m in work.mentorships if m.ending]
    board.expect("changes", len(sessions) + len(endings))
    gate = asyncio.Semaphore(_IN_FLIGHT)

    async def one(change: Awaitable[None]) -> None:
        async with gate:
            await change
        board.done("changes")

    async with asyncio.TaskGroup() as group:
        for mentorship, session in sessions:
            group.create_task(one(_fix_session(work, mentorship, session, api)))
        for mentorship in endings:
            group.create_task(one(_end(work, mentorship, api)))


async def _fix_session(work: Work, mentorship: Mentorship, session: Session, api: Api) -> None:
    path = f"/sessions/{work.session_id(mentorship, session)}"
    if session.fix == "voided":
        body: Json = {"reason": "entered_twice"}
        await api.send("activity", "POST", f"{path}:void", body)
    else:
        await api.send("activity", "PATCH", path, _correction(work, mentorship, session))


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
