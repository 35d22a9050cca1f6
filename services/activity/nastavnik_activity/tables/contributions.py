"""Contributions."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from nastavnik_activity.tables.records import Record, Sort
from nastavnik_common.events import CONTRIBUTION
from nastavnik_common.events.activity import ContributionState


class Contribution(Record, table=True):
    __table_args__ = (Index("ix_contribution_organization", "organization_id", "id"),)

    partner_kind: str
    partner_id: UUID | None = None
    kind: str
    kopecks: int = Field(sa_type=BigInteger)
    day: date


def _values(state: ContributionState) -> tuple[Any, ...]:
    return (
        state.id,
        state.version,
        state.organization_id,
        state.status,
        state.partner_kind,
        state.partner_id,
        state.kind,
        state.kopecks,
        state.date,
    )


def _state(row: Any) -> ContributionState:
    return ContributionState(
        id=row.id,
        version=row.version,
        organization_id=row.organization_id,
        status=row.status,
        partner_kind=row.partner_kind,
        partner_id=row.partner_id,
        kind=row.kind,
        kopecks=row.kopecks,
        date=row.day,
    )


CONTRIBUTIONS = Sort(
    kind=CONTRIBUTION,
    table=Contribution,
    columns=(
        "id",
        "version",
        "organization_id",
        "status",
        "partner_kind",
        "partner_id",
        "kind",
        "kopecks",
        "day",
    ),
    values=_values,
    state=_state,
    first=lambda _: "recorded",
    partition=lambda state: state.id,
)
