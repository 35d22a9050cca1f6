"""The rows, and their way to and from the states of the event contract.

An aggregate is one row: members, periods and attendance are arrays in it, so that one lock, one
read and one COPY line are enough. Deleted aggregates stay as markers: their ids are never used
again and their tombstones can be republished.
"""

from nastavnik_activity.tables.base import Base, dead_letter, idempotency, outbox
from nastavnik_activity.tables.mentorships import (
    MENTORSHIP_COLUMNS,
    Form,
    Mentorship,
    mentorship_state,
    mentorship_values,
)
from nastavnik_activity.tables.replica import ReplicaOrganization, ReplicaParticipant
from nastavnik_activity.tables.sessions import (
    SESSION_COLUMNS,
    Session,
    session_state,
    session_values,
)

__all__ = [
    "MENTORSHIP_COLUMNS",
    "SESSION_COLUMNS",
    "Base",
    "Form",
    "Mentorship",
    "ReplicaOrganization",
    "ReplicaParticipant",
    "Session",
    "dead_letter",
    "idempotency",
    "mentorship_state",
    "mentorship_values",
    "outbox",
    "session_state",
    "session_values",
]
