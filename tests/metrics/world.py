"""States of a small world, and the records that carry them, for tests of the figures."""

import itertools
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import msgspec

from nastavnik_common import events
from nastavnik_common.events.activity import (
    Attendance,
    Member,
    MentorshipState,
    Period,
    SessionState,
)
from nastavnik_common.events.registry import (
    Membership,
    OrganizationState,
    ParticipantState,
    Placement,
)

SPACE = UUID("11111111-2222-4333-8444-555555555555")
WHEN = datetime(2026, 11, 1, tzinfo=UTC)


def ident(name: str) -> UUID:
    return uuid5(SPACE, name)


def unit(name: str, level: str, parent: str | None = None, **more: Any) -> OrganizationState:
    placements = (Placement(parent_id=ident(parent)),) if parent else ()
    fields = {"version": 1, "name": name, "placements": placements, **more}
    return OrganizationState(id=ident(name), level=level, **fields)  # type: ignore[arg-type]


def school(name: str, parent: str, kind: str = "general", **more: Any) -> OrganizationState:
    return unit(name, "organization", parent, kind=kind, **more)


def person(name: str, home: str, kind: str = "student", **more: Any) -> ParticipantState:
    memberships = (Membership(organization_id=ident(home), kind=kind),)  # type: ignore[arg-type]
    fields = {"version": 1, "birth_year": 2012, "memberships": memberships, **more}
    return ParticipantState(id=ident(name), **fields)


def pair(name: str, mentor: str, mentee: str, **more: Any) -> MentorshipState:
    fields: dict[str, Any] = {
        "version": 1,
        "organization_id": ident("school"),
        "type": "pair",
        "form": "student_student",
        "federal_form": "student_student",
        "status": "active",
        "members": (
            Member(participant_id=ident(mentor), role="mentor"),
            Member(participant_id=ident(mentee), role="mentee"),
        ),
        "periods": (Period(since=date(2026, 9, 1)),),
        **more,
    }
    return MentorshipState(id=ident(name), **fields)


def meeting(name: str, mentorship: str, *present: str, **more: Any) -> SessionState:
    day = more.pop("day", date(2026, 10, 1))
    fields: dict[str, Any] = {
        "version": 1,
        "status": "held",
        "starts_at": datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
        "date": day,
        "duration_minutes": 45,
        "attendance": tuple(Attendance(participant_id=ident(p), attended=True) for p in present),
        **more,
    }
    return SessionState(id=ident(name), mentorship_id=ident(mentorship), **fields)


class FakeRecord(NamedTuple):
    """A record as a Kafka client would hand it over."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


_offsets = itertools.count()


def record(state: Any, *, verb: str = "changed") -> FakeRecord:
    """The record that carries the state."""
    kind = next(k for k in events.KINDS if isinstance(state, k.state))
    known = verb if verb in kind.verbs else kind.verbs[0]
    event = events.happened(kind, known, state, time=WHEN, schema_base_url="http://x/schemas")
    return _record(event)


def tombstone(kind: events.Kind[Any], ident_: UUID, version: int) -> FakeRecord:
    return _record(
        events.deleted(kind, ident_, version, time=WHEN, schema_base_url="http://x/schemas")
    )


def _record(event: events.Event) -> FakeRecord:
    return FakeRecord(
        event.topic,
        0,
        next(_offsets),
        str(event.envelope.subject).encode(),
        event.value,
        tuple(event.envelope.headers()),
    )


def renumbered(records: Iterable[FakeRecord]) -> list[FakeRecord]:
    """The same records with offsets in this order, as one log would give them."""
    return [r._replace(offset=n) for n, r in enumerate(records)]


def next_version(state: Any, **more: Any) -> Any:
    return msgspec.structs.replace(state, version=state.version + 1, **more)


def day(offset: int) -> date:
    return date(2026, 9, 1) + timedelta(days=offset)


TREE = [
    unit("country", "federation"),
    unit("region", "region", "country"),
    unit("east", "municipality", "region"),
    unit("west", "municipality", "region"),
    school("school", "east"),
    school("other", "west"),
    school("works", "west", "enterprise"),
    school("club", "west", "additional"),
]
