"""Second part of the scenario: mentorships, sessions, and what is put right afterwards."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

import msgspec

from nastavnik_local.sample import Municipality, Region, ident, mentorships, sessions
from nastavnik_local.sample_model import Mentorship, Session
from nastavnik_local.scenario_api import Api, Json, ScenarioError
from nastavnik_local.scenario_board import Board

_MENTORSHIPS, _SESSIONS = 500, 1_000  # lines of one batch
_IN_FLIGHT = 2
CATCHING_UP = ("participant.unknown", "organization.unknown", "mentorship.unknown")
PATIENCE = 180.0  # seconds activity may take to hear of everybody

Ids = Mapping[str, str]
T = TypeVar("T")


class Work(msgspec.Struct, frozen=True):
    """The mentorships of one municipality, and the ids of everybody in them."""

    region: Region
    place: Municipality
    ids: Ids
    mentorships: Sequence[Mentorship]

    @classmethod
    def of(cls, region: Region, place: Municipality, ids: Ids) -> "Work":
        return cls(region, place, ids, list(mentorships(region, place)))

    def id_of(self, mentorship: Mentorship) -> str:
        return self.ident("mentorship", mentorship.key)

    def ident(self, what: str, key: str) -> str:
        return str(ident(self.region, what, key))

    def session_id(self, mentorship: Mentorship, session: Session) -> str:
        return self.ident("session", f"{mentorship.key}:{session.number}")

    def sessions(self) -> Iterator[tuple[Mentorship, Session]]:
        for mentorship in self.mentorships:
            for session in sessions(self.region, mentorship):
                yield mentorship, session


async def send_mentorships(work: Work, api: Api, board: Board) -> None:
    board.expect("mentorships", len(work.mentorships))
    items = (_mentorship(work, mentorship) for mentorship in work.mentorships)
    await send_all(api, board, "mentorships", items, _MENTORSHIPS)


async def send_sessions(work: Work, api: Api, board: Board) -> None:
    board.expect("sessions", sum(1 for _ in work.sessions()))
    items = (_session(work, mentorship, session) for mentorship, session in work.sessions())
    await send_all(api, board, "sessions", items, _SESSIONS)


async def send_all(api: Api, board: Board, what: str, items: Iterable[bytes], size: int) -> None:
    """In batches, several in flight; the next batch is made when there is room for it."""
    gate = asyncio.Semaphore(_IN_FLIGHT)

    async def one(chunk: Sequence[bytes]) -> None:
        try:
            await _send_chunk(api, board, what, chunk)
        finally:
            gate.release()

    async with asyncio.TaskGroup() as group:
        for chunk in _chunks(items, size):
            await gate.acquire()
            group.create_task(one(chunk))


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


async def _send_chunk(api: Api, board: Board, what: str, chunk: Sequence[bytes]) -> None:
    """One batch; lines about people activity has not heard of yet are sent again."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    delay = 0.2
    while chunk:
        outcomes = await api.batch(f"/{what}:batch", chunk)
        again = []
        for line, outcome in zip(chunk, outcomes, strict=True):
            if outcome.code in CATCHING_UP and asyncio.get_running_loop().time() < deadline:
                again.append(line)
            elif outcome.status == "error":
                raise ScenarioError(f"{what}: {outcome.code}: {outcome.detail}")
            else:
                board.done(what, created=outcome.status == "created")
        chunk = again
        if chunk:
            await asyncio.sleep(delay)
            delay = min(delay * 1.5, 2.0)


def _mentorship(work: Work, mentorship: Mentorship) -> bytes:
    body: Json = {
        "id": work.id_of(mentorship),
        "organization_id": work.ids[mentorship.org],
        "type": mentorship.type,
        "form": mentorship.form,
        "members": [
            {"participant_id": work.ids[sid], "role": role} for sid, role in mentorship.members
        ],
        "sessions_per_month": mentorship.per_month,
    }
    if mentorship.since:
        body["active_from"] = mentorship.since.isoformat()
    return msgspec.json.encode(body)


def _session(work: Work, mentorship: Mentorship, session: Session) -> bytes:
    body: Json = {
        "id": work.session_id(mentorship, session),
        "mentorship_id": work.id_of(mentorship),
        "status": "held" if session.held else "cancelled",
        "starts_at": session.starts_at,
        "duration_minutes": session.minutes,
        "technology": session.technology,
        "audience": session.audience,
    }
    if session.absent:  # told by default: everybody came
        body["attendance"] = attendance(work, mentorship, session.absent)
    return msgspec.json.encode(body)


def attendance(work: Work, mentorship: Mentorship, absent: Sequence[str]) -> list[Json]:
    return [
        {"participant_id": work.ids[sid], "attended": sid not in absent}
        for sid, role in mentorship.members
        if role != "curator"
    ]
