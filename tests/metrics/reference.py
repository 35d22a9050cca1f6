"""The states of a world, handed to the independent recomputation that ships with the launcher."""

from collections.abc import Iterable
from typing import Any

from nastavnik_common.events.activity import (
    AssessmentState,
    ContributionState,
    GatheringState,
    MentorshipState,
    SessionState,
    SurveyState,
)
from nastavnik_common.events.registry import OrganizationState, ParticipantState, ProgrammeState
from nastavnik_local.recount import Figures, recount
from nastavnik_local.recount_log import (
    Assessment,
    Contribution,
    Dated,
    Gathering,
    Log,
    Mentorship,
    Organization,
    Person,
    Programme,
    Session,
    Survey,
)


def figures(states: Iterable[Any], year: int, month: int, whole_month: int) -> Figures:
    """(indicator, slice, unit) → figure, from the latest states alone."""
    log = Log({}, {}, {}, {})
    for state in states:
        _put(log, str(state.id), state)
    return recount(log, year, month, whole_month)


def _put(log: Log, ident: str, state: Any) -> None:
    match state:
        case OrganizationState():
            log.organizations[ident] = _organization(state)
        case ParticipantState():
            log.persons[ident] = _person(state)
        case MentorshipState():
            log.mentorships[ident] = _mentorship(state)
        case SessionState():
            log.sessions[ident] = _session(state)
        case SurveyState():
            log.surveys[ident] = _survey(state)
        case AssessmentState():
            log.assessments[ident] = _assessment(state)
        case ProgrammeState():
            log.programmes[ident] = _programme(state)
        case GatheringState():
            log.gatherings[ident] = _gathering(state)
        case ContributionState():
            log.contributions[ident] = Contribution(
                str(state.organization_id), state.kopecks, state.date, state.status
            )


def _organization(state: OrganizationState) -> Organization:
    placements = tuple(Dated(p.since, p.until, parent=str(p.parent_id)) for p in state.placements)
    return Organization(state.level, state.kind, state.name, placements)


def _person(state: ParticipantState) -> Person:
    memberships = tuple(
        Dated(m.since, m.until, str(m.organization_id), m.kind, m.primary)
        for m in state.memberships
    )
    trainings = tuple((t.role, t.completed_on) for t in state.trainings)
    return Person(state.birth_year, state.teaching_since_year, memberships, trainings)


def _mentorship(state: MentorshipState) -> Mentorship:
    return Mentorship(
        state.form,
        state.federal_form,
        {str(m.participant_id): m.role for m in state.members},
        tuple((p.since, p.until) for p in state.periods),
        str(state.organization_id),
        state.status,
        state.sessions_per_month,
    )


def _session(state: SessionState) -> Session:
    return Session(
        str(state.mentorship_id),
        state.status,
        state.date,
        tuple(str(a.participant_id) for a in state.attendance if a.attended),
        tuple(str(a.participant_id) for a in state.attendance if not a.attended),
        state.duration_minutes,
        state.technology,
        state.audience,
    )


def _survey(state: SurveyState) -> Survey:
    return Survey(
        str(state.respondent_id),
        state.respondent_role,
        state.stage,
        state.date,
        {s.scale: s.value for s in state.scores},
        str(state.mentorship_id) if state.mentorship_id else None,
        state.status,
    )


def _assessment(state: AssessmentState) -> Assessment:
    return Assessment(
        str(state.subject_id),
        state.subject_kind,
        state.domain,
        state.instrument,
        state.stage,
        state.date,
        state.value,
        state.higher_is_better,
        str(state.mentorship_id) if state.mentorship_id else None,
        state.status,
    )


def _programme(state: ProgrammeState) -> Programme:
    return Programme(
        str(state.organization_id),
        state.school_year,
        state.mechanisms,
        tuple(d.kind for d in state.documents if d.status == "approved"),
        tuple((p.month, p.sessions) for p in state.plan),
        str(state.curator_id) if state.curator_id else None,
        state.methodical_materials,
    )


def _gathering(state: GatheringState) -> Gathering:
    return Gathering(
        str(state.organization_id),
        state.status,
        state.date,
        state.duration_minutes,
        state.technology,
        state.audience,
    )
