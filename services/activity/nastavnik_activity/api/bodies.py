"""What clients send, and its way to what the commands take."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from pydantic import Field, StrictBool

from nastavnik_activity.api.fields import (
    Body,
    Day,
    Dosage,
    FormCode,
    Moment,
    Name,
    Reason,
)
from nastavnik_activity.domain import mentorships, sessions
from nastavnik_activity.domain.mentorships import MAX_MEMBERS
from nastavnik_activity.domain.sessions import MAX_ATTENDANCE, MAX_MINUTES
from nastavnik_common import examples
from nastavnik_common.events.activity import (
    Attendance,
    Audience,
    FederalForm,
    Member,
    Role,
    Technology,
)
from nastavnik_common.examples import example
from nastavnik_common.fields import ABSENT, WHOLE


class NewForm(Body):
    model_config = example(
        code="student_club", name="Клуб наставников", federal_form="student_student"
    )

    code: FormCode
    name: Name
    federal_form: FederalForm


class MemberBody(Body):
    participant_id: UUID
    role: Role


Members = Annotated[list[MemberBody], Field(max_length=MAX_MEMBERS)]


class NewMentorshipBody(Body):
    model_config = example(
        organization_id=examples.SCHOOL,
        type="pair",
        form="student_student",
        members=[
            {"participant_id": examples.MENTOR, "role": "mentor"},
            {"participant_id": examples.MENTEE, "role": "mentee"},
        ],
        active_from="2026-09-01",
        sessions_per_month=4,
    )

    id: UUID | None = Field(default=None, description="Yours, so that a repeat is recognised")
    organization_id: UUID
    type: Literal["pair", "group"]
    form: FormCode
    members: Members
    active_from: Day | None = Field(
        default=None, description="Given: active from that day; absent: a draft"
    )
    sessions_per_month: Dosage | None = None

    def asked(self) -> mentorships.NewMentorship:
        return msgspec.convert(self.model_dump(), mentorships.NewMentorship)


class MentorshipChanges(Body):
    """A merge: absent fields stay, `members` is replaced as a whole."""

    model_config = example(sessions_per_month=2)

    members: Members = ABSENT
    sessions_per_month: Dosage | None = Field(default=None, description="null: none agreed")
    form: FormCode = ABSENT

    def asked(self) -> mentorships.Changes:
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if "members" in given:
            given["members"] = tuple(
                Member(participant_id=m.participant_id, role=m.role) for m in given["members"]
            )
        return mentorships.Changes(**given)


class TransitionBody(Body):
    model_config = example(on="2026-11-02", reason="finished")

    on: Day = Field(
        description="An active day. Activated, resumed or reopened on D: the first; "
        "paused, completed or terminated on D: the last."
    )
    reason: Reason | None = Field(default=None, description="A code; terminating needs one")


class AttendanceBody(Body):
    participant_id: UUID
    attended: StrictBool


Minutes = Annotated[int, Field(ge=1, json_schema_extra={"maximum": MAX_MINUTES}), WHOLE]
AttendanceList = Annotated[list[AttendanceBody], Field(max_length=MAX_ATTENDANCE)]
AudienceList = Annotated[list[Audience], Field(max_length=20)]


class NewSessionBody(Body):
    model_config = example(
        mentorship_id=examples.MENTORSHIP,
        starts_at="2026-10-05T14:00:00+03:00",
        duration_minutes=45,
        technology="talk",
        attendance=[
            {"participant_id": examples.MENTOR, "attended": True},
            {"participant_id": examples.MENTEE, "attended": True},
        ],
    )

    id: UUID | None = Field(default=None, description="Yours, so that a repeat is recognised")
    mentorship_id: UUID
    status: Literal["held", "cancelled"] = "held"
    starts_at: Moment
    duration_minutes: Minutes
    technology: Technology | None = None
    audience: AudienceList = Field(default=[])
    attendance: AttendanceList | None = Field(
        default=None, description="Of a held session; absent: every mentor and mentee attended"
    )

    def asked(self) -> sessions.NewSession:
        return msgspec.convert(self.model_dump(), sessions.NewSession)


class SessionChanges(Body):
    """A correction: absent fields stay, lists are replaced as a whole."""

    model_config = example(duration_minutes=60)

    status: Literal["held", "cancelled"] = ABSENT
    starts_at: Moment = ABSENT
    duration_minutes: Minutes = ABSENT
    technology: Technology | None = None
    audience: AudienceList = ABSENT
    attendance: AttendanceList | None = Field(
        default=None, description="null: every mentor and mentee attended"
    )

    def asked(self) -> sessions.Changes:
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if "audience" in given:
            given["audience"] = tuple(given["audience"])
        if given.get("attendance") is not None:
            given["attendance"] = tuple(
                Attendance(participant_id=a.participant_id, attended=a.attended)
                for a in given["attendance"]
            )
        return sessions.Changes(**given)


class VoidBody(Body):
    model_config = example(reason="entered_twice")

    reason: Reason | None = None
