"""Rows of sheets → lines of journals. RowError for what a row, cell by cell fine, does not say."""

from collections.abc import Iterable
from datetime import datetime, timezone
from uuid import UUID

from nastavnik_activity.domain.journals import MentorshipLine, SessionLine
from nastavnik_activity.domain.mentorships import NewMember
from nastavnik_activity.domain.questionnaires import Answer
from nastavnik_activity.domain.surveys import NewSurvey
from nastavnik_common.events.activity import Role
from nastavnik_common.sheets.keys import identify
from nastavnik_common.sheets.reports import RowError
from nastavnik_common.sheets.rows import Row

ANSWER = "answer_"
"""Fields of the columns of a survey that hold answers: this and the code of the item."""


def mentorship(row: Row, organization_id: UUID | None) -> MentorshipLine:
    """`organization_id`: where the row itself names none."""
    named = row["organization"]
    unit = _uuid(named, "organization", "organization.unknown") if named else organization_id
    if unit is None:
        raise RowError("cell.required", "organization")
    roles: tuple[tuple[str, Role], ...] = (
        ("mentors", "mentor"),
        ("mentees", "mentee"),
        ("curators", "curator"),
    )
    return MentorshipLine(
        key=row["key"],
        organization_id=unit,
        form=row["form"],
        members=tuple(
            NewMember(participant_id=ident, role=role)
            for field, role in roles
            for ident in people(row[field] or (), field)
        ),
        active_from=row["active_from"],
        sessions_per_month=row["sessions_per_month"],
    )


def session(row: Row, zone: timezone) -> SessionLine:
    """`zone`: that of the dates and times in the sheet."""
    minutes, hours = row["minutes"], row["hours"]
    if minutes is None and hours is None:
        raise RowError("session.no_duration")
    if minutes is not None and hours is not None and minutes != hours:
        raise RowError("session.two_durations")
    return SessionLine(
        key=row["key"],
        mentorship_key=row["mentorship"],
        status=row["status"] or "held",
        starts_at=datetime.combine(row["date"], row["time"], zone),
        duration_minutes=minutes or hours,
        technology=row["technology"],
        audience=row["audience"] or (),
        absent=people(row["absent"] or (), "absent"),
    )


def survey(row: Row, source: str, questionnaire: str, version: int) -> NewSurvey:
    (respondent,) = people((row["respondent"],), "respondent")
    return NewSurvey(
        id=identify("survey", source, row["key"]),
        questionnaire=questionnaire,
        questionnaire_version=version,
        mentorship_id=identify("mentorship", source, row["mentorship"]),
        respondent_id=respondent,
        stage=row["stage"],
        date=row["date"],
        answers=tuple(
            Answer(item=field.removeprefix(ANSWER), value=value)
            for field, value in row.values.items()
            if field.startswith(ANSWER) and value is not None
        ),
    )


def people(named: Iterable[str], field: str) -> tuple[UUID, ...]:
    return tuple(_uuid(name, field, "cell.person") for name in named)


def _uuid(said: str, field: str, code: str) -> UUID:
    try:
        return UUID(said)
    except ValueError:
        raise RowError(code, field) from None
