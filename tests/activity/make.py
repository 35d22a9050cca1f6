"""Requests, registry events and Kafka records for the tests."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from nastavnik_common import events
from nastavnik_common.events import ORGANIZATION, PARTICIPANT, Event
from nastavnik_common.events.registry import OrganizationState, ParticipantState

Json = dict[str, Any]
SCHEMAS = "http://localhost/schemas"


@dataclass
class Record:
    """What a Kafka client hands over."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    partition: int = 0
    offset: int = 0


def record(event: Event, offset: int = 0) -> Record:
    key = str(event.envelope.subject).encode()
    return Record(event.topic, key, event.value, event.envelope.headers(), offset=offset)


def organization(ident: UUID, version: int = 1, level: Any = "organization", **more: Any) -> Event:
    state = OrganizationState(
        id=ident,
        version=version,
        level=level,
        kind="general" if level == "organization" else None,
        name="Школа № 5",
        **more,
    )
    return events.happened(
        ORGANIZATION, "registered", state, time=datetime.now(UTC), schema_base_url=SCHEMAS
    )


def participant(ident: UUID, version: int = 1, **more: Any) -> Event:
    state = ParticipantState(id=ident, version=version, birth_year=2010, **more)
    return events.happened(
        PARTICIPANT, "registered", state, time=datetime.now(UTC), schema_base_url=SCHEMAS
    )


def tombstone(ident: UUID, version: int) -> Event:
    return events.deleted(
        PARTICIPANT, ident, version, time=datetime.now(UTC), schema_base_url=SCHEMAS
    )


@dataclass
class School:
    """An organisation with a municipality above it and eight people."""

    id: UUID = field(default_factory=uuid4)
    municipality: UUID = field(default_factory=uuid4)
    people: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(8)])

    def records(self) -> list[Record]:
        return [
            record(organization(self.id)),
            record(organization(self.municipality, level="municipality")),
            *(record(participant(ident)) for ident in self.people),
        ]

    def pair(self, **more: Any) -> Json:
        return self.mentorship("pair", ["mentor", "mentee"], **more)

    def mentorship(self, kind: str, roles: Iterable[str], **more: Any) -> Json:
        return {
            "organization_id": str(self.id),
            "type": kind,
            "form": "student_student",
            "members": [
                {"participant_id": str(ident), "role": role}
                for ident, role in zip(self.people, roles, strict=False)
            ],
            **more,
        }


def session(mentorship: UUID, starts_at: str = "2025-10-01T14:00:00+03:00", **more: Any) -> Json:
    return {
        "mentorship_id": str(mentorship),
        "starts_at": starts_at,
        "duration_minutes": 45,
        **more,
    }


MOTIVATION = {"interest": 5, "own_wish": 4, "usefulness": 3, "effort": 4, "would_skip": 2}


def answers(values: dict[str, int]) -> list[Json]:
    return [{"item": item, "value": value} for item, value in values.items()]


def survey(mentorship: UUID, respondent: UUID, **more: Any) -> Json:
    """A response at entry, of 7.50."""
    return {
        "questionnaire": "motivation",
        "mentorship_id": str(mentorship),
        "respondent_id": str(respondent),
        "stage": "entry",
        "date": "2025-09-10",
        "answers": answers(MOTIVATION),
        **more,
    }


def climate(school: School, respondent: UUID, **more: Any) -> Json:
    """A teacher's view of the organisation."""
    values = {"goodwill": 4, "safety": 4, "support": 5, "belonging": 4, "conflicts": 2}
    return {
        "questionnaire": "climate",
        "organization_id": str(school.id),
        "respondent_id": str(respondent),
        "respondent_role": "teacher",
        "stage": "entry",
        "date": "2025-09-10",
        "answers": answers(values),
        **more,
    }


def assessment(mentorship: UUID, mentee: UUID, **more: Any) -> Json:
    return {
        "mentorship_id": str(mentorship),
        "subject_kind": "mentee",
        "subject_id": str(mentee),
        "domain": "educational",
        "instrument": "average_mark",
        "stage": "before",
        "date": "2025-09-10",
        "value": "3.75",
        **more,
    }


def contribution(school: School, **more: Any) -> Json:
    return {
        "organization_id": str(school.id),
        "partner_kind": "individual",
        "kind": "money",
        "amount": "12500.50",
        "date": "2025-10-01",
        **more,
    }


def gathering(school: School, **more: Any) -> Json:
    return {
        "organization_id": str(school.id),
        "date": "2025-10-01",
        "duration_minutes": 90,
        "technology": "workshop",
        "audience": ["parents", "mentors"],
        "attendees": 40,
        **more,
    }
