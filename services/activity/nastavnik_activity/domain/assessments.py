"""Assessments: a figure of a mentee, a mentor or an organisation, before and after."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from nastavnik_activity.domain import records
from nastavnik_activity.domain.questionnaires import Code
from nastavnik_activity.domain.records import Day, Ledger, Scope, given
from nastavnik_common import clock
from nastavnik_common.errors import DomainError
from nastavnik_common.events.activity import AssessmentState, Domain, SubjectKind

Stage = Literal["before", "after"]


class NewAssessment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client asks for. `value` in the instrument's unit, at most two decimal places."""

    id: UUID | None = None
    mentorship_id: UUID | None = None
    organization_id: UUID | None = None
    subject_kind: SubjectKind
    subject_id: UUID
    domain: Domain
    instrument: Code
    stage: Stage
    date: Day
    value: Annotated[Decimal, msgspec.Meta(description="e.g. 4.25")]
    higher_is_better: bool = True


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """A correction; UNSET leaves a field as it is."""

    domain: Domain | UnsetType = UNSET
    instrument: str | UnsetType = UNSET
    stage: Stage | UnsetType = UNSET
    date: Day | UnsetType = UNSET
    value: Decimal | UnsetType = UNSET
    higher_is_better: bool | UnsetType = UNSET


def record(new: NewAssessment, ident: UUID, scope: Scope, now: datetime) -> AssessmentState:
    """The first state. Its counterpart is for the caller to check, with a ledger."""
    records.check_day("assessment", new.date, now)
    _check_subject(new, scope)
    return AssessmentState(
        id=ident,
        version=1,
        organization_id=scope.organization_id,
        mentorship_id=scope.mentorship_id,
        subject_kind=new.subject_kind,
        subject_id=new.subject_id,
        domain=new.domain,
        instrument=new.instrument,
        stage=new.stage,
        date=new.date,
        value=hundredths(new.value),
        higher_is_better=new.higher_is_better,
        status="valid",
    )


def correct(state: AssessmentState, changes: Changes, now: datetime) -> AssessmentState:
    """The corrected state; the same object when nothing changes."""
    records.check_valid("assessment", state.status)
    after = msgspec.structs.replace(
        state,
        domain=given(changes.domain, state.domain),
        instrument=given(changes.instrument, state.instrument),
        stage=given(changes.stage, state.stage),
        date=given(changes.date, state.date),
        value=state.value if isinstance(changes.value, UnsetType) else hundredths(changes.value),
        higher_is_better=given(changes.higher_is_better, state.higher_is_better),
    )
    if after.date != state.date:
        records.check_day("assessment", after.date, now)
    return records.newer(state, after)


def hundredths(value: Decimal) -> int:
    return records.hundredths(value, "assessment.bad_value")


def ledger() -> Ledger:
    return Ledger("assessment", "before", "after", "after_before_before")


def group(state: AssessmentState) -> tuple[UUID, UUID, str, str, int]:
    """What is compared: of one subject, by one instrument, in one school year."""
    year = clock.school_year(state.date)
    return scope_id(state), state.subject_id, state.domain, state.instrument, year


def scope_id(state: AssessmentState) -> UUID:
    return state.mentorship_id or state.organization_id


def partition(state: AssessmentState) -> UUID:
    return state.mentorship_id or state.subject_id


def _check_subject(new: NewAssessment, scope: Scope) -> None:
    if new.subject_kind == "organization":
        inside = new.subject_id == scope.organization_id
    else:
        inside = scope.mentorship is None or new.subject_kind in scope.roles(new.subject_id)
    if not inside:
        raise DomainError(
            "assessment.outsider", "The subject is not that of the mentorship or organisation."
        )
