"""What the metrics service publishes: indicator values, as its API returns them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from nastavnik_common.events.base import SchoolYear, State

ValueState = Literal["ok", "no_data", "too_early", "suppressed", "provisional", "frozen"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A paired change: differences after − before, in hundredths of a point."""

    count: Annotated[int, Meta(description="Pairs")]
    sum: int
    squares: int
    mean: Annotated[float | None, Meta(description="In points")]
    effect_size: Annotated[
        float | None, Meta(description="Mean over the sample standard deviation")
    ]


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """The official headcount beside the registry's, and the value it would give. Over 100 % is
    shown, never clipped."""

    headcount: int
    value: float | None
    differs: Annotated[bool, Meta(description="From the denominator counted here")]


class IndicatorValueState(State, frozen=True, kw_only=True):
    """The value of one indicator, for one unit, school year and form."""

    indicator: str
    definition_version: int
    organization_id: Annotated[UUID, Meta(description="The org unit the value is about")]
    level: Literal["federation", "region", "municipality", "organization"]
    school_year: SchoolYear
    form: Annotated[
        str,
        Meta(
            description="all, a federal form, a region's own form, or another slice such as"
            " technology:project"
        ),
    ]
    numerator: int
    denominator: int
    value: Annotated[float | None, Meta(description="In `unit`; null when there is no data")]
    unit: Literal["percent", "quotient", "points", "count", "rub", "hours"]
    change: Annotated[Change | None, Meta(description="Of a paired change")] = None
    target: Annotated[float | None, Meta(description="In the same unit")] = None
    reference: Reference | None = None
    pace: Annotated[
        float | None,
        Meta(description="Value minus the part of the target due by now; negative: behind"),
    ] = None
    reporting: Annotated[
        int | None, Meta(description="Organisations with data, of those that should have")
    ] = None
    expected: Annotated[int | None, Meta(description="Organisations that should have data")] = None
    state: ValueState
    reason: Annotated[str | None, Meta(description="Why there is no value")] = None
    watermark: Annotated[
        datetime | None, Meta(description="Every event up to this moment is in the value")
    ] = None
