"""What the metrics service publishes: indicator values, as its API returns them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from nastavnik_common.events.base import SchoolYear, State

ValueState = Literal["ok", "no_data", "too_early", "suppressed", "provisional", "frozen"]


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
    unit: Literal["percent", "count", "ratio", "points", "rub"]
    effect_size: Annotated[
        float | None, Meta(description="Of a change: mean of differences over their deviation")
    ] = None
    target: Annotated[float | None, Meta(description="In the same unit")] = None
    state: ValueState
    reason: Annotated[str | None, Meta(description="Why there is no value")] = None
    watermark: Annotated[
        datetime | None, Meta(description="Every event up to this moment is in the value")
    ] = None
