"""All cells from the latest states, and who counts as having been at a session. Pure.

`recompute` is what the cells must equal at any moment, whatever the history was.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from nastavnik_common.events.activity import (
    AssessmentState,
    ContributionState,
    GatheringState,
    MentorshipState,
    SessionState,
    SurveyState,
)
from nastavnik_common.events.registry import ParticipantState, ProgrammeState
from nastavnik_metrics import months
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.cells import Cell, Cells, without_zeros
from nastavnik_metrics.owners import mentorships, organizations, persons
from nastavnik_metrics.owners.mentorships import Held

Attended = tuple[UUID, UUID, int]
"""Participant, mentorship, school month."""
S = TypeVar("S")


def attended(session: SessionState | None) -> set[Attended]:
    """Who counts as having been at the session. Only a held session counts."""
    if session is None or session.status != "held":
        return set()
    present = [a.participant_id for a in session.attendance if a.attended]
    return attendances(present, session.mentorship_id, session.date)


def attendances(present: Iterable[UUID], mentorship_id: UUID, day: date) -> set[Attended]:
    month = months.month_of(day)
    return {(person, mentorship_id, month) for person in present}


def attendance_delta(old: set[Attended], new: set[Attended]) -> Counter[Attended]:
    return Counter({**dict.fromkeys(new - old, 1), **dict.fromkeys(old - new, -1)})


def recompute(states: Iterable[Any], catalogue: Catalogue) -> Cells:
    """All cells, from nothing but the latest states of every aggregate."""
    known = list(states)
    total: Counter[Cell] = Counter()
    for found in (
        _of_persons(known, catalogue),
        _of_mentorships(known, catalogue),
        _of_organizations(known, catalogue),
    ):
        for cells in found:
            total.update(cells)
    return without_zeros(total)


def _every(states: Iterable[Any], sort: type[S]) -> list[S]:
    return [state for state in states if isinstance(state, sort)]


def _of_persons(states: list[Any], catalogue: Catalogue) -> Iterable[Cells]:
    held: dict[UUID, dict[UUID, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    for session in _every(states, SessionState):
        for person, mentorship, month in attended(session):
            held[person][mentorship][month] += 1
    pairs = {m.id: m for m in _every(states, MentorshipState)}
    parts: dict[UUID, list[persons.Engagement]] = defaultdict(list)
    for mentorship_state in pairs.values():
        for person in {member.participant_id for member in mentorship_state.members}:
            at = held[person][mentorship_state.id]
            parts[person] += persons.engagements(mentorship_state, person, at)
    surveys: dict[UUID, list[SurveyState]] = defaultdict(list)
    for survey in _every(states, SurveyState):
        if survey.status == "valid":
            surveys[survey.respondent_id].append(survey)
    assessed = _assessments(states, of_organization=False)
    for state in _every(states, ParticipantState):
        facts = persons.Facts(state, parts[state.id], surveys[state.id], assessed[state.id], pairs)
        yield persons.cells(facts, catalogue)


def _of_mentorships(states: list[Any], catalogue: Catalogue) -> Iterable[Cells]:
    held: dict[UUID, list[Held]] = defaultdict(list)
    for s in _every(states, SessionState):
        if s.status == "held":
            there = sum(a.attended for a in s.attendance)
            held[s.mentorship_id].append(
                Held(s.date, s.duration_minutes, s.technology, s.audience, there, len(s.attendance))
            )
    for mentorship in _every(states, MentorshipState):
        yield mentorships.cells(mentorship, held[mentorship.id], catalogue)


def _of_organizations(states: list[Any], catalogue: Catalogue) -> Iterable[Cells]:
    for programme in _every(states, ProgrammeState):
        yield organizations.programme(programme, catalogue)
    for gathering in _every(states, GatheringState):
        yield organizations.gathering(gathering, catalogue)
    for contribution in _every(states, ContributionState):
        yield organizations.contribution(contribution, catalogue)
    for assessed in _assessments(states, of_organization=True).values():
        yield organizations.assessed(assessed, catalogue)


def _assessments(states: list[Any], *, of_organization: bool) -> dict[UUID, list[AssessmentState]]:
    found: dict[UUID, list[AssessmentState]] = defaultdict(list)
    for a in _every(states, AssessmentState):
        if a.status == "valid" and (a.subject_kind == "organization") is of_organization:
            found[a.subject_id].append(a)
    return found
