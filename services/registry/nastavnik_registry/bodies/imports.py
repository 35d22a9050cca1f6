"""Imports of packages."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

ImportStatus = Literal["queued", "checking", "applying", "completed", "rejected", "failed"]


class Progress(BaseModel):
    phase: str
    done: int
    total: int = Field(description="0 while not known")


class FindingBody(BaseModel):
    """One fault of the package. Never a value out of a data row."""

    code: str
    file: str = ""
    line: int | None = None
    column: str = ""
    message: str = ""
    hint: str = ""
    value: str | None = None


class FileBody(BaseModel):
    name: str
    mode: str
    rows: int


class ReportBody(BaseModel):
    valid: bool
    total: int = Field(description="Of all findings; the list holds the first")
    findings: list[FindingBody]
    warnings: list[FindingBody]
    files: list[FileBody]
    versions: dict[str, str] = {}


class Changes(BaseModel):
    """`vanished`: known from this source, absent from this bulk; left as they are."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    vanished: int = 0


class ImportChanges(BaseModel):
    organizations: Changes
    participants: Changes


class Import(BaseModel):
    id: UUID
    source: str
    under: UUID | None
    status: ImportStatus
    progress: Progress
    report: ReportBody | None
    changes: ImportChanges | None
    error: str | None = Field(description="Code of what went wrong with a failed import")
    created_at: datetime
    finished_at: datetime | None
