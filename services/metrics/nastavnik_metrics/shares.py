"""Facts of an owner → its share of the cells.

Facts that are alike give the same pattern, so each is worked out once: the key of the memory holds
all that the pure functions look at, with organisations replaced by their places. What is seldom
alike (surveys, assessments) is not remembered.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from nastavnik_common.events.activity import MentorshipState
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.cells import Cells
from nastavnik_metrics.owners import mentorships, organizations, persons
from nastavnik_metrics.patterns import NOTHING, Patterns, Share

MOST = 200_000
"""Sorts of facts remembered."""

_RECORDS: dict[str, Callable[[Any, Catalogue], Cells]] = {
    "programme": organizations.programme,
    "gathering": organizations.gathering,
    "contribution": organizations.contribution,
}


class _Shape(NamedTuple):
    pattern: bytes | None
    places: tuple[int, ...]


class Shares:
    """By one catalogue. Goes with its `Patterns`: what a failed transaction would have stored must
    be forgotten with both."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.patterns = Patterns()
        self._persons: dict[Any, _Shape] = {}
        self._mentorships: dict[Any, bytes | None] = {}
        self._meetings: dict[Any, bytes | None] = {}

    def trim(self) -> None:
        """Between batches: so that a long life cannot fill the memory."""
        if len(self._persons) + len(self._mentorships) + len(self._meetings) > MOST:
            for memory in (self._persons, self._mentorships, self._meetings):
                memory.clear()
            self.patterns = Patterns()

    def record(self, kind: str, state: Any) -> Share:
        return self.patterns.share(_RECORDS[kind](state, self.catalogue))

    def assessed(self, assessments: Any) -> Share:
        return self.patterns.share(organizations.assessed(assessments, self.catalogue))

    def mentorship(self, state: MentorshipState, held: Mapping[int, int]) -> Share:
        """By being in its states; its sessions have shares of their own. `held`: sessions by
        school month."""
        at = (state.organization_id,)
        key = (
            state.form,
            state.federal_form,
            state.status,
            state.sessions_per_month,
            state.periods,
            tuple(sorted(held.items())),
        )
        if key not in self._mentorships:
            cells = mentorships.states(state, held, self.catalogue)
            self._mentorships[key] = self.patterns.share(cells, at).pattern
        return Share(self._mentorships[key], at)

    def meeting(self, mentorship: MentorshipState, held: mentorships.Held) -> Share:
        """Of one held session."""
        at = (mentorship.organization_id,)
        key = (mentorship.form, mentorship.federal_form, held)
        if key not in self._meetings:
            cells = mentorships.meeting(mentorship, held, self.catalogue)
            self._meetings[key] = self.patterns.share(cells, at).pattern
        return Share(self._meetings[key], at)

    def person(self, facts: persons.Facts) -> Share:
        person = facts.person
        if person is None:
            return NOTHING
        if facts.surveys or facts.assessments:
            return self.patterns.share(persons.cells(facts, self.catalogue))
        # in the order by which the later of two homes that begin at once is told
        at = sorted({m.organization_id for m in person.memberships}, key=str)
        key = (
            person.birth_year,
            person.teaching_since_year,
            tuple(
                (at.index(m.organization_id), m.kind, m.primary, m.since, m.until)
                for m in person.memberships
            ),
            person.trainings,
            tuple(map(self._part, facts.engagements)),
        )
        shape = self._persons.get(key) or self._shape(key, facts, at)
        return Share(shape.pattern, tuple(at[place] for place in shape.places))

    def _part(self, part: persons.Engagement) -> Any:
        enough = self.catalogue.enough_sessions
        held = ((month, min(n, enough)) for month, n in part.held.items())
        return part.slices, part.role, part.active, tuple(sorted(held))

    def _shape(self, key: Any, facts: persons.Facts, at: list[UUID]) -> _Shape:
        cells = persons.cells(facts, self.catalogue)
        used = [one for one in at if any(cell.organization_id == one for cell in cells)]
        places = tuple(at.index(one) for one in used)
        found = self._persons[key] = _Shape(self.patterns.share(cells, used).pattern, places)
        return found
