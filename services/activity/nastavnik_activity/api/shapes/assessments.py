"""Assessments as clients send and get them."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field, StrictBool

from nastavnik_activity.api.fields import Body, Day, FormCode, Number
from nastavnik_activity.domain import assessments
from nastavnik_activity.domain.assessments import Stage
from nastavnik_common import examples
from nastavnik_common.events.activity import AssessmentState, Domain, RecordStatus, SubjectKind
from nastavnik_common.examples import example
from nastavnik_common.fields import ABSENT


class NewAssessmentBody(Body):
    """About someone in a mentorship, or in an organisation: exactly one of them is named."""

    model_config = example(
        mentorship_id=examples.MENTORSHIP,
        subject_kind="mentee",
        subject_id=examples.MENTEE,
        domain="educational",
        instrument="average_mark",
        stage="before",
        date="2026-10-05",
        value="3.75",
    )

    id: UUID | None = Field(default=None, description="Yours, so that a repeat is recognised")
    mentorship_id: UUID | None = None
    organization_id: UUID | None = None
    subject_kind: SubjectKind
    subject_id: UUID
    domain: Domain
    instrument: FormCode = Field(description="What it is measured with: a code of yours")
    stage: Stage
    date: Day
    value: Number = Field(description="At most two decimal places. Of a trajectory, 1: has one")
    higher_is_better: StrictBool = True

    def asked(self) -> assessments.NewAssessment:
        return msgspec.convert(self.model_dump(), assessments.NewAssessment)


class AssessmentChanges(Body):
    """A correction: absent fields stay."""

    model_config = example(value="4.00")

    domain: Domain = ABSENT
    instrument: FormCode = ABSENT
    stage: Stage = ABSENT
    date: Day = ABSENT
    value: Number = ABSENT
    higher_is_better: StrictBool = ABSENT

    def asked(self) -> assessments.Changes:
        given: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        return assessments.Changes(**given)


class AssessmentView(BaseModel):
    id: UUID
    version: int
    organization_id: UUID
    mentorship_id: UUID | None
    subject_kind: SubjectKind
    subject_id: UUID
    domain: Domain
    instrument: str
    stage: Stage
    date: date
    value: Decimal
    higher_is_better: bool
    status: RecordStatus

    @classmethod
    def of(cls, state: AssessmentState) -> "AssessmentView":
        value = Decimal(state.value).scaleb(-2)
        return cls.model_validate({**msgspec.to_builtins(state), "value": value})
