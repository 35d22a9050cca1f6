"""From old and new contributions to cell deltas; and all cells from the latest states. Pure.

`recompute` is what the cells must equal at any moment, whatever the history was.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from nastavnik_common.clock import school_year
from nastavnik_common.events.activity import MentorshipState, SessionState
from nastavnik_common.events.registry import ParticipantState
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.measures import Cell, Contribution, contribution, engagements

Attended = tuple[UUID, UUID, int]
"""Participant, mentorship, school year."""


def attended(session: SessionState | None) -> set[Attended]:
    """Who counts as having been at the session. Only a held session counts."""
    if session is None or session.status != "held":
        return set()
    year = school_year(session.date)
    return {
        (a.participant_id, session.mentorship_id, year) for a in session.attendance if a.attended
    }


def attendance_delta(old: set[Attended], new: set[Attended]) -> Counter[Attended]:
    delta = Counter(new)
    delta.subtract(old)
    return Counter({key: value for key, value in delta.items() if value})


def cell_delta(old: Contribution, new: Contribution) -> Contribution:
    """What to add to the cells so that `old` is replaced by `new` in them."""
    delta = Counter(new)
    delta.subtract(old)
    return {cell: value for cell, value in delta.items() if value}


def recompute(
    participants: Mapping[UUID, ParticipantState],
    mentorships: Mapping[UUID, MentorshipState],
    sessions: Iterable[SessionState],
    catalogue: Catalogue,
) -> Contribution:
    """All cells, from nothing but the latest states."""
    held: dict[UUID, dict[UUID, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    for session in sessions:
        for person, mentorship, year in attended(session):
            held[person][mentorship][year] += 1
    member_of: dict[UUID, dict[UUID, MentorshipState]] = defaultdict(dict)
    for state in mentorships.values():
        for member in state.members:
            member_of[member.participant_id][state.id] = state
    cells: Counter[Cell] = Counter()
    for ident, person_state in participants.items():
        parts = [
            part
            for m in member_of[ident].values()
            for part in engagements(m, ident, held[ident][m.id])
        ]
        cells.update(contribution(person_state, parts, catalogue))
    return {cell: value for cell, value in cells.items() if value}
