"""Gatherings."""

from datetime import date
from typing import Any

from sqlalchemy import Index, SmallInteger, String
from sqlmodel import Field

from nastavnik_activity.tables.base import array
from nastavnik_activity.tables.records import Record, Sort
from nastavnik_common.events import GATHERING
from nastavnik_common.events.activity import GatheringState


class Gathering(Record, table=True):
    __table_args__ = (Index("ix_gathering_organization", "organization_id", "id"),)

    day: date
    duration_minutes: int = Field(sa_type=SmallInteger)
    technology: str | None = None
    audience: list[str] = Field(sa_column=array(String()))
    attendees: int


def _values(state: GatheringState) -> tuple[Any, ...]:
    return (
        state.id,
        state.version,
        state.organization_id,
        state.status,
        state.date,
        state.duration_minutes,
        state.technology,
        list(state.audience),
        state.attendees,
    )


def _state(row: Any) -> GatheringState:
    return GatheringState(
        id=row.id,
        version=row.version,
        organization_id=row.organization_id,
        status=row.status,
        date=row.day,
        duration_minutes=row.duration_minutes,
        technology=row.technology,
        audience=tuple(row.audience),
        attendees=row.attendees,
    )


GATHERINGS = Sort(
    kind=GATHERING,
    table=Gathering,
    columns=(
        "id",
        "version",
        "organization_id",
        "status",
        "day",
        "duration_minutes",
        "technology",
        "audience",
        "attendees",
    ),
    values=_values,
    state=_state,
    first=lambda state: "cancelled" if state.status == "cancelled" else "held",
    partition=lambda state: state.id,
)
