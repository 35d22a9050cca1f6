"""The rows, and their way to and from the states of the event contract.

An aggregate is one row: members, periods and attendance are arrays in it, so that one lock, one
read and one COPY line are enough. Deleted aggregates stay as markers: their ids are never used
again and their tombstones can be republished.
"""

from typing import Any

from nastavnik_activity.tables.assessments import ASSESSMENTS, Assessment
from nastavnik_activity.tables.base import Base, dead_letter, idempotency, outbox
from nastavnik_activity.tables.contributions import CONTRIBUTIONS, Contribution
from nastavnik_activity.tables.gatherings import GATHERINGS, Gathering
from nastavnik_activity.tables.mentorships import (
    MENTORSHIP_COLUMNS,
    Form,
    Mentorship,
    mentorship_state,
    mentorship_values,
)
from nastavnik_activity.tables.questionnaires import StoredQuestionnaire
from nastavnik_activity.tables.records import Record, Sort
from nastavnik_activity.tables.replica import MENTORING, ReplicaOrganization, ReplicaParticipant
from nastavnik_activity.tables.reviews import SessionReview
from nastavnik_activity.tables.sessions import (
    SESSION_COLUMNS,
    Session,
    session_state,
    session_values,
)
from nastavnik_activity.tables.surveys import SURVEYS, Survey

SORTS: dict[str, Sort[Any]] = {
    sort.kind.name: sort for sort in (SURVEYS, ASSESSMENTS, CONTRIBUTIONS, GATHERINGS)
}

__all__ = [
    "ASSESSMENTS",
    "CONTRIBUTIONS",
    "GATHERINGS",
    "MENTORING",
    "MENTORSHIP_COLUMNS",
    "SESSION_COLUMNS",
    "SORTS",
    "SURVEYS",
    "Assessment",
    "Base",
    "Contribution",
    "Form",
    "Gathering",
    "Mentorship",
    "Record",
    "ReplicaOrganization",
    "ReplicaParticipant",
    "Session",
    "SessionReview",
    "Sort",
    "StoredQuestionnaire",
    "Survey",
    "dead_letter",
    "idempotency",
    "mentorship_state",
    "mentorship_values",
    "outbox",
    "session_state",
    "session_values",
]
