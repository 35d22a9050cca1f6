"""Outside ids, the systems they come from, packages on their way in and what these changed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, LargeBinary
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from nastavnik_registry.tables.base import Base, moment


class ExternalId(Base, table=True):
    """An outside system's id of one of our records.

    `content_hash` is of the content last imported under it; null: not from an import.
    """

    __tablename__ = "external_id"
    __table_args__ = (Index("external_id_entity", "entity_id"),)

    source: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    entity_id: UUID
    content_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


def _document() -> Any:
    return Field(default=None, sa_column=Column(JSONB, nullable=True))


class ImportSource(Base, table=True):
    """What is agreed with an outside system. `mapping`: {org_types, roles}, code there → ours."""

    __tablename__ = "import_source"

    code: str = Field(primary_key=True)
    version: int
    system: str
    mapping: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    breaker_percent: int
    vanished: str
    partial: bool
    created_at: datetime = moment()
    changed_at: datetime = moment()


class ImportJob(Base, table=True):
    """One package on its way in, a file named by the id; or the undoing of one.

    `mark` is of the data that a dry run saw, `held` why it waits for a confirmation. `created_by`
    and `decided_by` are opaque ids of callers; null: the service on its own, or nobody yet.
    """

    __tablename__ = "import_job"
    __table_args__ = (
        Index(
            "import_job_open",
            "created_at",
            postgresql_where=sql("status in ('queued', 'checking', 'applying')"),
        ),
    )

    id: UUID = Field(primary_key=True)
    source: str
    under: UUID | None = None
    size_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    status: str
    phase: str
    done: int = Field(sa_column=Column(BigInteger, nullable=False))
    total: int = Field(sa_column=Column(BigInteger, nullable=False))
    attempts: int = 0
    report: dict[str, Any] | None = _document()
    changes: dict[str, Any] | None = _document()
    error: str | None = None
    dry_run: bool = False
    confirmed: bool = False
    mark: str | None = None
    held: dict[str, Any] | None = _document()
    quarantined: int = 0
    undoes: UUID | None = None
    undone_by: UUID | None = None
    created_by: str | None = None
    decided_by: str | None = None
    created_at: datetime = moment()
    finished_at: datetime | None = Field(
        default=None,
        sa_type=DateTime(timezone=True),
    )


class ImportChange(Base, table=True):
    """One record that an import changed, or a dry run would change.

    `before` and `after` hold only the fields that differ, `hash` the content hash before. `version`
    is the one the change made; null: it made none. `restored`, of an undo, is the version whose
    content came back.
    """

    __tablename__ = "import_change"
    __table_args__ = (Index("import_change_entity", "entity_id"),)

    import_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    kind: str
    entity_id: UUID
    version: int | None = None
    action: str
    outside: str
    file: str
    line: int | None = None
    before: dict[str, Any] | None = _document()
    after: dict[str, Any] | None = _document()
    hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    restored: int | None = None


class ImportQuarantine(Base, table=True):
    """One fault of a record that was set aside. `outside` is null where it cannot be told whose."""

    __tablename__ = "import_quarantine"
    __table_args__ = (
        Index("import_quarantine_source", "source", "outside"),
        Index("import_quarantine_import", "import_id"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    import_id: UUID
    source: str
    kind: str
    outside: str | None = None
    file: str
    line: int | None = None
    column: str
    code: str
    message: str
    hint: str
    released_by: UUID | None = None
    created_at: datetime = moment()
