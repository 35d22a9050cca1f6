"""What the API answers with."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field

from nastavnik_common import clock
from nastavnik_common.events.metrics import IndicatorValueState, ValueState
from nastavnik_common.events.registry import Level, OrganizationKind, OrganizationState
from nastavnik_metrics.catalogue.model import Indicator, Unit


class UnitView(BaseModel):
    id: UUID
    level: Level
    kind: OrganizationKind | None = Field(description="Of an organisation")
    name: str


class TargetView(BaseModel):
    school_year: str
    value: float
    source: str
    verified: bool = Field(description="The source was opened and read")


class IndicatorView(BaseModel):
    code: str
    version: int
    group: str
    title_ru: str
    title_en: str
    unit: Unit
    targets: list[TargetView]


class ChangeView(BaseModel):
    """A paired change: differences after − before, in hundredths of a point."""

    count: int = Field(description="Pairs")
    sum: int
    squares: int
    mean: float | None = Field(description="In points")
    effect_size: float | None = Field(description="Mean over the sample standard deviation")


class ReferenceView(BaseModel):
    """The official headcount beside the registry's, and the value it would give."""

    headcount: int
    value: float | None
    differs: bool


class ValueView(BaseModel):
    """One figure, and what it rests on."""

    indicator: str
    definition_version: int
    unit_id: UUID
    unit_name: str
    level: Level
    school_year: str = Field(examples=["2026/27"])
    form: str = Field(description="`all`, a form of mentoring, or another slice")
    numerator: int
    denominator: int
    value: float | None = Field(description="In `unit`; null when there is no data")
    unit: Unit
    target: float | None
    pace: float | None = Field(
        description="Value minus the part of the target due by now; negative: behind"
    )
    change: ChangeView | None = None
    reference: ReferenceView | None = None
    reporting: int | None = Field(description="Organisations with data …")
    expected: int | None = Field(description="… of those that should have")
    state: ValueState
    reason: str | None = Field(description="Why there is no value")
    watermark: datetime | None = Field(
        description="Every event up to this moment is in the value; null while starting"
    )
    known_since: datetime | None = Field(default=None, description="In a history")


class SeriesView(BaseModel):
    items: list[ValueView] = Field(description="September first")


class ContributorView(BaseModel):
    kind: str = Field(description="person, mentorship, programme, gathering, contribution, …")
    id: UUID
    organization_id: UUID
    adds: int


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


class CatalogueView(BaseModel):
    indicators: list[str] = Field(description="Code and version of every definition")


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
        unit=indicator.unit,
        targets=[
            TargetView(
                school_year=clock.label(goal.school_year),
                value=goal.value,
                source=goal.source,
                verified=goal.verified,
            )
            for goal in indicator.targets
        ],
    )


def value_view(
    value: IndicatorValueState, unit_name: str, known_since: datetime | None = None
) -> ValueView:
    fields = msgspec.structs.asdict(value)
    for name in ("id", "version", "organization_id", "school_year", "change", "reference"):
        del fields[name]
    return ValueView(
        **fields,
        unit_id=value.organization_id,
        unit_name=unit_name,
        school_year=clock.label(value.school_year),
        change=None if value.change is None else ChangeView(**_plain(value.change)),
        reference=None if value.reference is None else ReferenceView(**_plain(value.reference)),
        known_since=known_since,
    )


def _plain(struct: msgspec.Struct) -> dict[str, Any]:
    return msgspec.structs.asdict(struct)
