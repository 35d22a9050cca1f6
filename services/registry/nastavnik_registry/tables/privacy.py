"""The trace of what is done with personal data, acts of its destruction, and marks of the erased.

Rows of the trace, its chain and the acts are added and never change: the database refuses that.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary, String, Uuid
from sqlmodel import Field

from nastavnik_registry.tables.base import Base, array, moment


def _bytes() -> Any:
    return Field(sa_column=Column(LargeBinary, nullable=False))


def _number(*, key: bool = False) -> Any:
    return Field(sa_column=Column(BigInteger, primary_key=key, nullable=False, autoincrement=False))


class TraceEntry(Base, table=True):
    """Who did what with which people's data, by which route. Categories, never values.

    `actor` null: the service itself; `cause` says what made it.
    """

    __tablename__ = "personal_trace"
    __table_args__ = (Index("personal_trace_subjects", "subjects", postgresql_using="gin"),)

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=False), primary_key=True)
    )
    at: datetime = Field(sa_type=DateTime(timezone=True))
    actor: str | None = None
    action: str
    route: str
    subjects: list[UUID] = array(Uuid())
    categories: list[str] = array(String())
    correlation_id: str | None = None
    cause: str | None = None


class TracePending(Base, table=True):
    """Entries that are not in the chain yet."""

    __tablename__ = "personal_trace_pending"

    entry_id: int = _number(key=True)


class TraceLink(Base, table=True):
    """`hash` is of the hash before and of the entry."""

    __tablename__ = "personal_trace_link"
    __table_args__ = (Index("personal_trace_link_entry", "entry_id", unique=True),)

    seq: int = _number(key=True)
    entry_id: int = _number()
    hash: bytes = _bytes()


class DestructionAct(Base, table=True):
    """Personal data of people was destroyed. `entry_id` is of the trace; `head_seq`, `head_hash`
    are the last link of its chain before, so that a chain that was cut off shows."""

    __tablename__ = "destruction_act"
    __table_args__ = (
        Index("destruction_act_number", "year", "number", unique=True),
        Index("destruction_act_subjects", "subjects", postgresql_using="gin"),
    )

    id: UUID = Field(primary_key=True)
    year: int
    number: int
    drawn_at: datetime = Field(sa_type=DateTime(timezone=True))
    kind: str
    basis: str
    actor: str | None = None
    subjects: list[UUID] = array(Uuid())
    categories: list[str] = array(String())
    entry_id: int = _number()
    head_seq: int = _number()
    head_hash: bytes = _bytes()


class ErasureSalt(Base, table=True):
    """One row of random bytes, made with the table."""

    __tablename__ = "erasure_salt"

    id: int = Field(primary_key=True)
    salt: bytes = _bytes()


class ErasureMark(Base, table=True):
    """SHA-256 of the salt, the source and an outside id of somebody erased: what comes under it
    again is left out. Neither the id nor the person follows from it."""

    __tablename__ = "erasure_mark"

    source: str = Field(primary_key=True)
    mark: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    created_at: datetime = moment()
