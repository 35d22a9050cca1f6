"""The states of a world, handed to the independent recomputation that ships with the launcher."""

from collections.abc import Iterable
from typing import Any

from nastavnik_common.events.activity import MentorshipState, SessionState
from nastavnik_common.events.registry import OrganizationState, ParticipantState
from nastavnik_local.recount import Figures, recount
from nastavnik_local.recount_log import Dated, Log, Mentorship, Organization, Person, Session


def figures(states: Iterable[Any], year: int) -> Figures:
    """(indicator, form, unit) → (numerator, denominator), from the latest states alone."""
    log = Log({}, {}, {}, {})
    for state in states:
        _put(log, state)
    return {k: v[:2] for k, v in recount(log, year).items()}


def _put(log: Log, state: Any) -> None:
    ident = str(state.id)
    match state:
        case OrganizationState():
            placements = tuple(
                Dated(p.since, p.until, parent=str(p.parent_id)) for p in state.placements
            )
            log.organizations[ident] = Organization(state.level, state.kind, state.name, placements)
        case ParticipantState():
            memberships = tuple(
                Dated(m.since, m.until, str(m.organization_id), m.kind, m.primary)
                for m in state.memberships
            )
            log.persons[ident] = Person(state.birth_year, state.teaching_since_year, memberships)
        case MentorshipState():
            log.mentorships[ident] = Mentorship(
                state.form,
                state.federal_form,
                {str(m.participant_id): m.role for m in state.members},
                tuple((p.since, p.until) for p in state.periods),
            )
        case SessionState():
            attended = tuple(str(a.participant_id) for a in state.attendance if a.attended)
            log.sessions[ident] = Session(
                str(state.mentorship_id), state.status, state.date, attended
            )
