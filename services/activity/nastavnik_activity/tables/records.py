"""Columns of every record that can be corrected and voided, and how its kind is stored."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, func
from sqlmodel import Field

from nastavnik_activity.tables.base import Base
from nastavnik_common.events import Kind
from nastavnik_common.events.activity import (
    AssessmentState,
    ContributionState,
    GatheringState,
    SurveyState,
)

S = TypeVar("S", SurveyState, AssessmentState, ContributionState, GatheringState)


class Record(Base):
    """`created_as`: digest of the request that made it, to tell a repeat from another record."""

    id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    deleted: bool = False
    organization_id: UUID
    status: str
    void_reason: str | None = None
    created_as: bytes
    created_at: datetime | None = Field(
        default=None,
        nullable=False,
        sa_type=DateTime(timezone=True),
        sa_column_kwargs={"server_default": func.now()},
    )


@dataclass(frozen=True)
class Sort(Generic[S]):
    """One kind of record: its events, its rows, and the way between them.

    `columns` are those of the state, in the order of `values`; `verbs` the first event's and the
    one for a correction; `partition` what chooses the partition, which never changes.
    """

    kind: Kind[S]
    table: type[Record]
    columns: tuple[str, ...]
    values: Callable[[S], tuple[Any, ...]]
    state: Callable[[Any], S]
    first: Callable[[S], str]
    partition: Callable[[S], UUID]

    def take(self, row: Record, state: S) -> None:
        """Have the row become the state."""
        for name, value in zip(self.columns, self.values(state), strict=True):
            setattr(row, name, value)
