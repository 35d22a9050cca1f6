"""Assessments."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, SmallInteger, text
from sqlmodel import Field

from nastavnik_activity.domain import assessments as rules
from nastavnik_activity.tables.records import Record, Sort
from nastavnik_common import clock
from nastavnik_common.events import ASSESSMENT
from nastavnik_common.events.activity import AssessmentState


class Assessment(Record, table=True):
    """`scope_id` is the mentorship, or else the organisation: its row is locked as for surveys.
    `value` in hundredths of the instrument's unit."""

    __table_args__ = (
        Index(
            "uq_assessment_stage",
            "scope_id",
            "subject_id",
            "domain",
            "instrument",
            "school_year",
            "stage",
            unique=True,
            postgresql_where=text("status = 'valid' AND NOT deleted"),
        ),
        Index("ix_assessment_mentorship", "mentorship_id"),
        Index("ix_assessment_organization", "organization_id", "id"),
        Index("ix_assessment_subject", "subject_id"),
    )

    mentorship_id: UUID | None = None
    subject_kind: str
    subject_id: UUID
    domain: str
    instrument: str
    stage: str
    day: date
    value: int = Field(sa_type=BigInteger)
    higher_is_better: bool
    scope_id: UUID
    school_year: int = Field(sa_type=SmallInteger)


def _values(state: AssessmentState) -> tuple[Any, ...]:
    return (
        state.id,
        state.version,
        state.organization_id,
        state.status,
        state.mentorship_id,
        state.subject_kind,
        state.subject_id,
        state.domain,
        state.instrument,
        state.stage,
        state.date,
        state.value,
        state.higher_is_better,
        rules.scope_id(state),
        clock.school_year(state.date),
    )


def _state(row: Any) -> AssessmentState:
    return AssessmentState(
        id=row.id,
        version=row.version,
        organization_id=row.organization_id,
        status=row.status,
        mentorship_id=row.mentorship_id,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        domain=row.domain,
        instrument=row.instrument,
        stage=row.stage,
        date=row.day,
        value=row.value,
        higher_is_better=row.higher_is_better,
    )


ASSESSMENTS = Sort(
    kind=ASSESSMENT,
    table=Assessment,
    columns=(
        "id",
        "version",
        "organization_id",
        "status",
        "mentorship_id",
        "subject_kind",
        "subject_id",
        "domain",
        "instrument",
        "stage",
        "day",
        "value",
        "higher_is_better",
        "scope_id",
        "school_year",
    ),
    values=_values,
    state=_state,
    first=lambda _: "recorded",
    partition=rules.partition,
)
