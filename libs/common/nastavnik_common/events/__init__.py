"""The event contract: one kind per aggregate, one compacted topic per kind.

`KINDS` is the only list of them; schemas, AsyncAPI, topics and consumers follow from it.
"""

from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from nastavnik_common.events.activity import (
    AssessmentState,
    ContributionState,
    GatheringState,
    MentorshipState,
    SessionState,
    SurveyState,
)
from nastavnik_common.events.base import State
from nastavnik_common.events.envelope import PREFIX, Envelope
from nastavnik_common.events.metrics import IndicatorValueState
from nastavnik_common.events.registry import (
    OrganizationState,
    ParticipantState,
    ProgrammeState,
    ReferenceCountState,
    TargetState,
)

S = TypeVar("S", bound=State)
DELETED = "deleted"


class Kind(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """One kind of aggregate: who publishes it, where, and what can happen to it."""

    name: str
    topic: str
    state: type[S]
    source: str
    verbs: tuple[str, ...]
    consumers: tuple[str, ...] = ()

    @property
    def dead_letter_topic(self) -> str:
        return f"{self.topic}.dlq"

    def type(self, verb: str) -> str:
        return f"{PREFIX}.{self.name}.{verb}.v1"

    @property
    def schema_name(self) -> str:
        return f"{self.name}.v1.json"


ORGANIZATION = Kind(
    name="organization",
    topic="nastavnik.organizations",
    state=OrganizationState,
    source="registry",
    verbs=("registered", "changed", DELETED),
    consumers=("activity", "metrics"),
)
PARTICIPANT = Kind(
    name="participant",
    topic="nastavnik.participants",
    state=ParticipantState,
    source="registry",
    verbs=("registered", "changed", DELETED),
    consumers=("activity", "metrics"),
)
TARGET = Kind(
    name="target",
    topic="nastavnik.targets",
    state=TargetState,
    source="registry",
    verbs=("set", "changed", DELETED),
    consumers=("metrics",),
)
MENTORSHIP = Kind(
    name="mentorship",
    topic="nastavnik.mentorships",
    state=MentorshipState,
    source="activity",
    verbs=(
        "drafted",
        "activated",
        "paused",
        "resumed",
        "completed",
        "terminated",
        "reopened",
        "changed",
        DELETED,
    ),
    consumers=("metrics",),
)
SESSION = Kind(
    name="session",
    topic="nastavnik.sessions",
    state=SessionState,
    source="activity",
    verbs=("logged", "corrected", "voided", DELETED),
    consumers=("metrics",),
)
PROGRAMME = Kind(
    name="programme",
    topic="nastavnik.programmes",
    state=ProgrammeState,
    source="registry",
    verbs=("started", "changed", DELETED),
    consumers=("metrics",),
)
REFERENCE_COUNT = Kind(
    name="reference_count",
    topic="nastavnik.reference-counts",
    state=ReferenceCountState,
    source="registry",
    verbs=("entered", "changed", DELETED),
    consumers=("metrics",),
)
SURVEY = Kind(
    name="survey",
    topic="nastavnik.surveys",
    state=SurveyState,
    source="activity",
    verbs=("submitted", "corrected", "voided", DELETED),
    consumers=("metrics",),
)
ASSESSMENT = Kind(
    name="assessment",
    topic="nastavnik.assessments",
    state=AssessmentState,
    source="activity",
    verbs=("recorded", "corrected", "voided", DELETED),
    consumers=("metrics",),
)
CONTRIBUTION = Kind(
    name="contribution",
    topic="nastavnik.contributions",
    state=ContributionState,
    source="activity",
    verbs=("recorded", "corrected", "voided", DELETED),
    consumers=("metrics",),
)
GATHERING = Kind(
    name="gathering",
    topic="nastavnik.gatherings",
    state=GatheringState,
    source="activity",
    verbs=("held", "cancelled", "corrected", "voided", DELETED),
    consumers=("metrics",),
)
INDICATOR = Kind(
    name="indicator",
    topic="nastavnik.indicators",
    state=IndicatorValueState,
    source="metrics",
    verbs=("changed",),
)

KINDS: tuple[Kind[State], ...] = (
    ORGANIZATION,
    PARTICIPANT,
    TARGET,
    MENTORSHIP,
    SESSION,
    PROGRAMME,
    REFERENCE_COUNT,
    SURVEY,
    ASSESSMENT,
    CONTRIBUTION,
    GATHERING,
    INDICATOR,
)  # type: ignore[assignment]  # a tuple of invariant generics
BY_NAME = {kind.name: kind for kind in KINDS}
BY_TOPIC = {kind.topic: kind for kind in KINDS}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event ready to be written to the outbox."""

    topic: str
    envelope: Envelope
    value: bytes | None


_encoder = msgspec.json.Encoder()


def happened(
    kind: Kind[S],
    verb: str,
    state: S,
    *,
    time: datetime,
    partition_key: UUID | None = None,
    schema_base_url: str,
    correlation_id: str | None = None,
    traceparent: str | None = None,
) -> Event:
    """The event that says: this became the state of the aggregate."""
    return _event(
        kind,
        verb,
        state.id,
        state.version,
        _encoder.encode(state),
        time,
        partition_key,
        schema_base_url,
        correlation_id,
        traceparent,
    )


def deleted(
    kind: Kind[S],
    ident: UUID,
    version: int,
    *,
    time: datetime,
    partition_key: UUID | None = None,
    schema_base_url: str,
    correlation_id: str | None = None,
    traceparent: str | None = None,
) -> Event:
    """The tombstone: the aggregate should never have existed."""
    return _event(
        kind,
        DELETED,
        ident,
        version,
        None,
        time,
        partition_key,
        schema_base_url,
        correlation_id,
        traceparent,
    )


def _event(
    kind: Kind[S],
    verb: str,
    ident: UUID,
    version: int,
    value: bytes | None,
    time: datetime,
    partition_key: UUID | None,
    schema_base_url: str,
    correlation_id: str | None,
    traceparent: str | None,
) -> Event:
    if verb not in kind.verbs:
        raise ValueError(f"{kind.name} knows no {verb}")
    envelope = Envelope(
        id=f"{ident}:{version}",
        type=kind.type(verb),
        source=f"/nastavnik/{kind.source}",
        subject=ident,
        time=time,
        version=version,
        partition_key=str(partition_key or ident),
        schema=f"{schema_base_url}/{kind.schema_name}",
        correlation_id=correlation_id,
        traceparent=traceparent,
    )
    return Event(topic=kind.topic, envelope=envelope, value=value)
