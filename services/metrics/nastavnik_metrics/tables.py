"""What metrics stores: facts as they arrived, cells folded from them, values and their history,
reports.

Derived tables (`attendance`, `mentorship_member`, `owner`, `cell`) can be thrown away and computed
again from the facts.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Index, String, UniqueConstraint, func
from sqlalchemy import JSON as JSON_TYPE
from sqlalchemy import Uuid as UuidType
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from nastavnik_common.dead_letters import dead_letter_table
from nastavnik_common.idempotency import idempotency_table
from nastavnik_common.outbox import outbox_table


class Base(SQLModel, registry=registry()):
    """Its own metadata: three services share one test process."""


def _time() -> Any:
    return Column(DateTime(timezone=True), nullable=False, server_default=func.now())


class _Fact(Base):
    """The newest state seen. Version 0 is a stub: others refer to it, it has not arrived yet.
    A deleted one stays as a marker, so that nothing older brings it back."""

    id: UUID = Field(primary_key=True)
    version: int
    deleted: bool = False


class Organization(_Fact, table=True):
    state: Any = Field(sa_type=JSON_TYPE, nullable=True)


class Target(_Fact, table=True):
    state: Any = Field(sa_type=JSON_TYPE, nullable=True)


class ReferenceCount(_Fact, table=True):
    __tablename__ = "reference_count"
    state: Any = Field(sa_type=JSON_TYPE, nullable=True)


class Participant(_Fact, table=True):
    state: Any = Field(sa_type=JSON_TYPE, nullable=True)


class Mentorship(_Fact, table=True):
    state: Any = Field(sa_type=JSON_TYPE, nullable=True)


class MentorshipMember(Base, table=True):
    __tablename__ = "mentorship_member"
    participant_id: UUID = Field(primary_key=True)
    mentorship_id: UUID = Field(primary_key=True, index=True)


class Session(_Fact, table=True):
    mentorship_id: UUID | None = Field(default=None, index=True)
    day: date | None = None
    held: bool = False
    minutes: int = 0
    technology: str | None = None
    audience: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    attended: list[UUID] = Field(sa_column=Column(ARRAY(UuidType), nullable=False))
    expected: int = 0
    organization_id: UUID | None = None
    """Where its pattern is laid: where the mentorship is run."""
    pattern: bytes | None = None


class Attendance(Base, table=True):
    """Held sessions a person attended, by mentorship and school month."""

    participant_id: UUID = Field(primary_key=True)
    mentorship_id: UUID = Field(primary_key=True)
    school_month: int = Field(primary_key=True)
    held: int


class Survey(_Fact, table=True):
    """About a person; the columns stay when it is deleted."""

    person_id: UUID | None = Field(default=None, index=True)
    mentorship_id: UUID | None = Field(default=None, index=True)
    state: Any = Field(sa_type=JSON_TYPE, nullable=True)


class Assessment(_Fact, table=True):
    """About a person or an organisation; the columns stay when it is deleted."""

    subject_id: UUID | None = Field(default=None, index=True)
    of_organization: bool | None = None
    mentorship_id: UUID | None = Field(default=None, index=True)
    state: Any = Field(sa_type=JSON_TYPE, nullable=True)


class Programme(_Fact, table=True):
    state: Any = Field(sa_type=JSON_TYPE, nullable=True)


class Gathering(_Fact, table=True):
    state: Any = Field(sa_type=JSON_TYPE, nullable=True)


class Contribution(_Fact, table=True):
    state: Any = Field(sa_type=JSON_TYPE, nullable=True)


class Owner(Base, table=True):
    """What each owner has in the cells now: a person, a mentorship, a programme …: a pattern laid
    on organisations."""

    __table_args__ = (Index("owner_organizations", "organizations", postgresql_using="gin"),)
    kind: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    pattern: bytes | None = None
    organizations: list[UUID] = Field(
        sa_column=Column(ARRAY(UuidType), nullable=False, server_default="{}")
    )


class Pattern(Base, table=True):
    """What owners that are alike add to the cells, by the hash of `steps`. Never changes.
    Steps: place of the organisation among the owner's, school month, slice, measure, number."""

    id: bytes = Field(primary_key=True)
    steps: Any = Field(sa_type=JSON_TYPE, nullable=False)


class Cell(Base, table=True):
    """Steps by school month: the stock at the end of month t is the sum of `value` at ≤ t."""

    organization_id: UUID = Field(primary_key=True)
    school_month: int = Field(primary_key=True)
    slice: str = Field(primary_key=True)
    measure: str = Field(primary_key=True)
    value: int = Field(sa_type=BigInteger)


class StreamPosition(Base, table=True):
    """How far each partition is in the figures. Saved in the transaction that moves it."""

    __tablename__ = "stream_position"
    topic: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    cluster_id: str
    next_offset: int = Field(sa_type=BigInteger)
    applied: int = Field(default=0, sa_type=BigInteger)
    superseded: int = Field(default=0, sa_type=BigInteger)
    parked: int = Field(default=0, sa_type=BigInteger)
    skipped: int = Field(default=0, sa_type=BigInteger)
    watermark: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Stale(Base, table=True):
    """Units whose values may have changed since they were announced; null: all of them."""

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    organization_id: UUID | None = None


class IndicatorValue(Base, table=True):
    """The value last announced, by its identity."""

    __tablename__ = "indicator_value"
    id: UUID = Field(primary_key=True)
    version: int
    numerator: int = Field(sa_type=BigInteger)
    denominator: int = Field(sa_type=BigInteger)
    body: Any = Field(sa_type=JSON_TYPE, nullable=False)


class ValueChange(Base, table=True):
    """Every announced value, in order: the live stream and the history."""

    __tablename__ = "value_change"
    __table_args__ = (
        Index("value_change_of", "value_id", "seq"),
        Index("value_change_about", "organization_id", "school_year", "recorded_at"),
    )
    seq: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    value_id: UUID
    organization_id: UUID
    school_year: int
    recorded_at: datetime = Field(sa_column=_time())
    body: Any = Field(sa_type=JSON_TYPE, nullable=False)


class Report(Base, table=True):
    """Of one unit for one school year. The last three columns are written once, by the freeze."""

    __table_args__ = (UniqueConstraint("unit_id", "school_year"),)
    id: UUID = Field(primary_key=True)
    version: int
    unit_id: UUID
    school_year: int
    level: str
    status: str
    created_at: datetime = Field(sa_column=_time())
    unit: Any = Field(sa_type=JSON_TYPE, nullable=True)
    watermark: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    last_change: int | None = Field(default=None, sa_type=BigInteger)


class ReportStep(Base, table=True):
    """Who moved a report on, and when. `version` is the report's after it."""

    __tablename__ = "report_step"
    report_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    action: str
    by: str
    comment: str | None = None
    at: datetime = Field(sa_column=_time())


class ReportValue(Base, table=True):
    __tablename__ = "report_value"
    report_id: UUID = Field(primary_key=True)
    indicator: str = Field(primary_key=True)
    slice: str = Field(primary_key=True)
    position: int
    title: str
    body: Any = Field(sa_type=JSON_TYPE, nullable=False)


class ReportPart(Base, table=True):
    """What the frozen figures in `all` were made of: indicator → numerator and denominator."""

    __tablename__ = "report_part"
    report_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    organization_id: UUID = Field(primary_key=True)
    adds: Any = Field(sa_type=JSON_TYPE, nullable=False)


OUTBOX = outbox_table(Base.metadata)
IDEMPOTENCY = idempotency_table(Base.metadata)
DEAD_LETTER = dead_letter_table(Base.metadata)
