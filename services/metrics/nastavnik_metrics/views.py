"""What the API answers with."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from nastavnik_common import clock
from nastavnik_common.events.metrics import IndicatorValueState, ValueState
from nastavnik_common.events.registry import Level, OrganizationKind, OrganizationState
from nastavnik_metrics.catalogue.model import Indicator


class UnitView(BaseModel):
    id: UUID
    level: Level
    kind: OrganizationKind | None = Field(description="Of an organisation")
    name: str


class TargetView(BaseModel):
    school_year: str
    percent: float
    source: str
    verified: bool = Field(description="The source was opened and read")


class IndicatorView(BaseModel):
    code: str
    version: int
    group: str
    title_ru: str
    title_en: str
    unit: str
    targets: list[TargetView]


class ValueView(BaseModel):
    """One figure, and what it rests on."""

    indicator: str
    definition_version: int
    unit_id: UUID
    unit_name: str
    level: Level
    school_year: str = Field(examples=["2026/27"])
    form: str = Field(description="`all`, or the code of a form of mentoring")
    numerator: int
    denominator: int
    value: float | None = Field(description="In `unit`; null when there is no data")
    unit: str
    target: float | None
    state: ValueState
    reason: str | None = Field(description="Why there is no value")
    watermark: datetime | None = Field(
        description="Every event up to this moment is in the value; null while starting"
    )


class ValuesView(BaseModel):
    items: list[ValueView]


class CardView(BaseModel):
    unit: UnitView
    school_year: str
    values: list[ValueView]


class PositionView(BaseModel):
    """One partition: records applied, superseded by a newer version, parked as unreadable,
    skipped as of an unknown type; and how far the figures are."""

    topic: str
    partition: int
    next_offset: int
    applied: int
    superseded: int
    parked: int
    skipped: int
    lag: int | None = Field(description="Records not yet read here; null on another replica")
    watermark: datetime | None


class ProgressView(BaseModel):
    lag: int
    watermark: datetime | None
    partitions: list[PositionView]


class DeadLetterView(BaseModel):
    id: int
    topic: str
    partition: int
    offset: int
    code: str
    error: str
    parked_at: datetime
    resolved_at: datetime | None


class RepublishedView(BaseModel):
    counts: dict[str, int] = Field(description="Events written again, by kind")


def unit_view(unit: OrganizationState) -> UnitView:
    return UnitView(id=unit.id, level=unit.level, kind=unit.kind, name=unit.name)


def indicator_view(indicator: Indicator) -> IndicatorView:
    return IndicatorView(
        code=indicator.code,
        version=indicator.version,
        group=indicator.group,
        title_ru=indicator.title.ru,
        title_en=indicator.title.en,
        unit="percent",
        targets=[
            TargetView(
                school_year=clock.label(goal.school_year),
                percent=goal.percent,
                source=goal.source,
                verified=goal.verified,
            )
            for goal in indicator.targets
        ],
    )


def value_view(value: IndicatorValueState, unit_name: str) -> ValueView:
    return ValueView(
        indicator=value.indicator,
        definition_version=value.definition_version,
        unit_id=value.organization_id,
        unit_name=unit_name,
        level=value.level,
        school_year=clock.label(value.school_year),
        form=value.form,
        numerator=value.numerator,
        denominator=value.denominator,
        value=value.value,
        unit=value.unit,
        target=value.target,
        state=value.state,
        reason=value.reason,
        watermark=value.watermark,
    )
