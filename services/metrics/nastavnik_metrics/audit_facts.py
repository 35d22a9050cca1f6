"""What owners must have in the cells, from the stored facts alone, chunk by chunk.

Shares the pure functions with folding and nothing else: how facts are found is written a second
time here, and attendance is counted from the sessions, not taken from its counters.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from nastavnik_common.events.activity import (
    AssessmentState,
    ContributionState,
    GatheringState,
    MentorshipState,
    SurveyState,
)
from nastavnik_common.events.registry import ParticipantState, ProgrammeState
from nastavnik_metrics import months
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.cells import Cells
from nastavnik_metrics.owners import mentorships, organizations, persons
from nastavnik_metrics.owners.mentorships import Held

S = TypeVar("S")
Counters = Counter[tuple[UUID, UUID, int]]
"""Participant, mentorship, school month → held sessions attended."""


class _Kind(NamedTuple):
    """Where the ids of a kind of owner are among the facts."""

    table: str
    column: str = "id"
    condition: str = "true"


KINDS = {
    "mentorship": _Kind("mentorship"),
    "person": _Kind("participant"),
    "organization": _Kind("assessment", "subject_id", "of_organization"),
    "programme": _Kind("programme"),
    "gathering": _Kind("gathering"),
    "contribution": _Kind("contribution"),
}
_RECORDS: dict[str, tuple[Any, Callable[[Any, Catalogue], Cells]]] = {
    "programme": (ProgrammeState, organizations.programme),
    "gathering": (GatheringState, organizations.gathering),
    "contribution": (ContributionState, organizations.contribution),
}


async def ids(connection: Any, kind: str, after: UUID, limit: int) -> list[UUID]:
    """The next owners of the kind: those with facts, and those with a row and no facts."""
    at = KINDS[kind]
    rows = await connection.fetch(
        f"""select id from (
              (select distinct {at.column} as id from {at.table}
               where {at.column} > $1 and {at.condition} order by 1 limit $2)
              union
              (select id from owner where kind = $3 and id > $1 order by id limit $2)
            ) as known order by id limit $2""",  # noqa: S608 -- our names
        after,
        limit,
        kind,
    )
    return [row["id"] for row in rows]


async def expected(
    connection: Any, kind: str, idents: list[UUID], catalogue: Catalogue
) -> dict[UUID, Cells]:
    """Owner → its cells, of those that have facts."""
    if kind in _RECORDS:
        sort, one = _RECORDS[kind]
        select = f"select id, state from {kind}"  # noqa: S608 -- our names
        states = await _states(connection, select, "id", idents, sort)
        return {ident: one(state, catalogue) for ident, state in states}
    if kind == "mentorship":
        return await _of_mentorships(connection, idents, catalogue)
    if kind == "person":
        return await _of_persons(connection, idents, catalogue)
    about = await _assessed(connection, idents, of_organization=True)
    return {ident: organizations.assessed(given, catalogue) for ident, given in about.items()}


async def _states(
    connection: Any, select: str, column: str, idents: Collection[UUID], sort: type[S]
) -> list[tuple[UUID, S]]:
    rows = await connection.fetch(
        f"{select} where {column} = any($1) and state is not null", list(idents)
    )
    decoder = msgspec.json.Decoder(sort)
    return [(ident, decoder.decode(text)) for ident, text in rows]


async def mentorship_states(
    connection: Any, idents: Collection[UUID]
) -> dict[UUID, MentorshipState]:
    select = "select id, state from mentorship"
    return dict(await _states(connection, select, "id", idents, MentorshipState))


async def _of_mentorships(
    connection: Any, idents: list[UUID], catalogue: Catalogue
) -> dict[UUID, Cells]:
    held: dict[UUID, list[Held]] = defaultdict(list)
    for row in await connection.fetch(
        """select mentorship_id, day, minutes, technology, audience, attended, expected
           from session where mentorship_id = any($1) and held""",
        idents,
    ):
        mentorship, day, minutes, technology, audience, there, of = row
        held[mentorship].append(Held(day, minutes, technology, tuple(audience), len(there), of))
    states = await mentorship_states(connection, idents)
    return {i: mentorships.cells(state, held[i], catalogue) for i, state in states.items()}


async def attended(
    connection: Any, mentorship_ids: Collection[UUID], only: Iterable[UUID] | None = None
) -> Counters:
    """Counted from the sessions of the mentorships; of some persons only, or of all."""
    rows = await connection.fetch(
        """select distinct s.id, p.id, s.mentorship_id, s.day
           from session s cross join unnest(s.attended) as p(id)
           where s.mentorship_id = any($1) and s.held
             and ($2::uuid[] is null or p.id = any($2))""",
        list(mentorship_ids),
        None if only is None else list(only),
    )
    return Counter((person, pair, months.month_of(day)) for _, person, pair, day in rows)


async def _of_persons(
    connection: Any, idents: list[UUID], catalogue: Catalogue
) -> dict[UUID, Cells]:
    members = await connection.fetch(
        """select mentorship_id, participant_id from mentorship_member
           where participant_id = any($1)""",
        idents,
    )
    surveys: dict[UUID, list[SurveyState]] = defaultdict(list)
    select = "select person_id, state from survey"
    for ident, survey in await _states(connection, select, "person_id", idents, SurveyState):
        if survey.status == "valid":
            surveys[ident].append(survey)
    assessed = await _assessed(connection, idents, of_organization=False)
    given = [s for found in (surveys, assessed) for few in found.values() for s in few]
    pairs = {row["mentorship_id"] for row in members}
    states = await mentorship_states(
        connection, pairs | {s.mentorship_id for s in given if s.mentorship_id}
    )
    counted = await attended(connection, pairs, idents)
    parts = _engagements(members, states, counted)
    known = await _states(
        connection, "select id, state from participant", "id", idents, ParticipantState
    )
    return {
        ident: persons.cells(
            persons.Facts(state, parts[ident], surveys[ident], assessed[ident], states), catalogue
        )
        for ident, state in known
    }


def _engagements(
    members: Iterable[tuple[UUID, UUID]], states: dict[UUID, MentorshipState], counted: Counters
) -> dict[UUID, list[persons.Engagement]]:
    held: dict[tuple[UUID, UUID], dict[int, int]] = defaultdict(dict)
    for (person, pair, month), n in counted.items():
        held[person, pair][month] = n
    parts: dict[UUID, list[persons.Engagement]] = defaultdict(list)
    for pair, person in members:
        if pair in states:
            parts[person] += persons.engagements(states[pair], person, held[person, pair])
    return parts


async def _assessed(
    connection: Any, idents: list[UUID], *, of_organization: bool
) -> dict[UUID, list[AssessmentState]]:
    select = "select subject_id, state from assessment"
    found: dict[UUID, list[AssessmentState]] = defaultdict(list)
    for ident, state in await _states(connection, select, "subject_id", idents, AssessmentState):
        if state.status == "valid" and (state.subject_kind == "organization") is of_organization:
            found[ident].append(state)
    return found
