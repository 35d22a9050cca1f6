"""Gatherings as clients send and get them."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field

from nastavnik_activity.api.fields import Body, Day
from nastavnik_activity.domain import gatherings
from nastavnik_activity.domain.gatherings import MAX_ATTENDEES, MAX_MINUTES
from nastavnik_common import examples
from nastavnik_common.events.activity import Audience, GatheringState, SessionStatus, Technology
from nastavnik_common.examples import example
from nastavnik_common.fields import ABSENT, WHOLE

Minutes = Annotated[int, Field(ge=1, json_schema_extra={"maximum": MAX_MINUTES}), WHOLE]
Attendees = Annotated[int, Field(ge=0, le=MAX_ATTENDEES), WHOLE]
AudienceList = Annotated[list[Audience], Field(min_length=1, max_length=20)]


class NewGatheringBody(Body):
    model_config = example(
        organization_id=examples.SCHOOL,
        date="2026-10-05",
        duration_minutes=90,
        audience=["parents"],
        attendees=24,
    )

    id: UUID | None = Field(default=None, description="Yours, so that a repeat is recognised")
    organization_id: UUID
    status: Literal["held", "cancelled"] = "held"
    date: Day
    duration_minutes: Minutes
    technology: Technology | None = None
    audience: AudienceList
    attendees: Attendees = Field(default=0, description="How many came; 0 if it was cancelled")

    def asked(self) -> gatherings.NewGathering:
        return msgspec.convert(self.model_dump(), gatherings.NewGathering)


class GatheringChanges(Body):
    """A correction: absent fields stay, but nobody attends one that becomes cancelled."""

    model_config = example(attendees=25)

    status: Literal["held", "cancelled"] = ABSENT
    date: Day = ABSENT
    duration_minutes: Minutes = ABSENT
    technology: Technology | None = None
    audience: AudienceList = ABSENT
    attendees: Attendees = ABSENT

    def asked(self) -> gatherings.Changes:
        given: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if "audience" in given:
            given["audience"] = tuple(given["audience"])
        return gatherings.Changes(**given)


class GatheringView(BaseModel):
    id: UUID
    version: int
    organization_id: UUID
    status: SessionStatus
    date: date
    duration_minutes: int
    technology: Technology | None
    audience: list[Audience]
    attendees: int

    @classmethod
    def of(cls, state: GatheringState) -> "GatheringView":
        return cls.model_validate(msgspec.to_builtins(state))
