"""Journals of other systems: records named by a key of theirs, said again and corrected by it.

What a journal says last is compared with what it said before, not with what is stored: the same
file twice changes nothing, even where somebody has corrected the record here in between.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from nastavnik_activity.domain.forms import FormCode
from nastavnik_activity.domain.mentorships import MAX_MEMBERS, NewMember, NewMentorship
from nastavnik_activity.domain.sessions import MAX_ATTENDANCE, NewAttendance, NewSession
from nastavnik_common.errors import DomainError
from nastavnik_common.events.activity import Audience, Technology
from nastavnik_common.sheets.keys import identify

Key = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+\Z")]


class MentorshipLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without a type: a pair where there are two, else a group."""

    key: Key
    organization_id: UUID
    type: Literal["pair", "group"] | None = None
    form: FormCode
    members: Annotated[tuple[NewMember, ...], Meta(max_length=MAX_MEMBERS)]
    active_from: date | None = None
    sessions_per_month: Annotated[int, Meta(ge=1, le=100)] | None = None

    def asked(self, source: str) -> NewMentorship:
        pair = sum(m.role != "curator" for m in self.members) == 2
        return NewMentorship(
            id=identify("mentorship", source, self.key),
            organization_id=self.organization_id,
            type=self.type or ("pair" if pair else "group"),
            form=self.form,
            members=self.members,
            active_from=self.active_from,
            sessions_per_month=self.sessions_per_month,
        )


class SessionLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`status` voided: a record of the journal that was wrong. `absent`: who did not come, instead
    of a whole `attendance`."""

    key: Key
    mentorship_id: UUID | None = None
    mentorship_key: Key | None = None
    status: Literal["held", "cancelled", "voided"] = "held"
    starts_at: Annotated[datetime, Meta(tz=True)]
    duration_minutes: Annotated[int, Meta(ge=1)]
    technology: Technology | None = None
    audience: Annotated[tuple[Audience, ...], Meta(max_length=20)] = ()
    attendance: Annotated[tuple[NewAttendance, ...], Meta(max_length=MAX_ATTENDANCE)] | None = None
    absent: Annotated[tuple[UUID, ...], Meta(max_length=MAX_ATTENDANCE)] = ()

    def ident(self, source: str) -> UUID:
        return identify("session", source, self.key)

    def mentorship(self, source: str) -> UUID:
        if self.mentorship_id is not None and self.mentorship_key is None:
            return self.mentorship_id
        if self.mentorship_key is not None and self.mentorship_id is None:
            return identify("mentorship", source, self.mentorship_key)
        raise DomainError("session.mentorship", "Name either mentorship_id or mentorship_key.")

    def asked(self, source: str, people: Iterable[UUID]) -> NewSession:
        """`people`: who could have come."""
        return NewSession(
            id=self.ident(source),
            mentorship_id=self.mentorship(source),
            status="held" if self.status == "held" else "cancelled",
            starts_at=self.starts_at,
            duration_minutes=self.duration_minutes,
            technology=self.technology,
            audience=self.audience,
            attendance=self._attendance(people),
        )

    def _attendance(self, people: Iterable[UUID]) -> tuple[NewAttendance, ...] | None:
        if not self.absent:
            return self.attendance
        if self.attendance is not None:
            raise DomainError("session.absent", "Say either who came or who was absent.")
        if self.status != "held":
            raise DomainError(
                "session.attendance_of_cancelled", "A cancelled session has no attendance."
            )
        # an outsider among the absent stays one, for the rules to refuse
        named = sorted({*people, *self.absent})
        return tuple(NewAttendance(participant_id=p, attended=p not in self.absent) for p in named)
