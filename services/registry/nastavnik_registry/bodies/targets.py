"""Targets."""

from uuid import UUID

from pydantic import BaseModel, Field

from nastavnik_common import examples
from nastavnik_common.examples import example
from nastavnik_common.fields import ABSENT
from nastavnik_registry.bodies.base import (
    Body,
    IndicatorCode,
    LongText,
    Percent,
    SchoolYearLabel,
)


class NewTarget(Body):
    model_config = example(
        indicator="coverage.students",
        organization_id=examples.REGION,
        school_year="2026/27",
        percent=70,
    )

    id: UUID | None = None
    indicator: IndicatorCode
    organization_id: UUID | None = Field(default=None, description="null: every unit")
    school_year: SchoolYearLabel
    percent: Percent
    legal_basis: LongText | None = None
    verified: bool = Field(default=False, description="The legal basis was opened and read")


class TargetPatch(Body):
    """What is absent stays; null clears."""

    model_config = example(percent=75.5)

    indicator: IndicatorCode = ABSENT
    organization_id: UUID | None = None
    school_year: SchoolYearLabel = ABSENT
    percent: Percent = ABSENT
    legal_basis: LongText | None = None
    verified: bool = ABSENT


class Target(BaseModel):
    id: UUID
    version: int
    indicator: str
    organization_id: UUID | None
    school_year: str
    percent: float
    legal_basis: str | None
    verified: bool
