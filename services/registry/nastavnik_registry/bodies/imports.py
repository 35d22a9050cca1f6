"""Imports of packages."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from nastavnik_common.events.registry import OrganizationKind, ParticipantKind
from nastavnik_common.examples import example
from nastavnik_registry.bodies.base import Body, SourceName, Text

ImportStatus = Literal[
    "queued",
    "checking",
    "applying",
    "planned",
    "held",
    "completed",
    "rejected",
    "failed",
    "discarded",
]
Code = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f,]{1,100}$")]
RecordKind = Literal["organization", "participant"]
Action = Literal["added", "changed", "moved", "ended", "deleted", "vanished", "restored", "kept"]


class Codes(Body):
    """The source's own codes, beyond the standard's or instead of them."""

    org_types: dict[Code, OrganizationKind | Literal["federation", "region", "municipality"]] = (
        Field(default_factory=dict, max_length=200, description="orgs.type → level or kind")
    )
    roles: dict[Code, ParticipantKind] = Field(
        default_factory=dict, max_length=200, description="roles.role → kind of participant"
    )


class NewImportSource(Body):
    """What is agreed with an outside system. The defaults hold for one nobody has described."""

    model_config = example(
        system="School information system of the region",
        mapping={"roles": {"psychologist": "teacher"}},
        vanished="end_membership",
    )

    system: Text = Field(description="Which system it is, for people")
    mapping: Codes = Field(default_factory=Codes)
    breaker_percent: int = Field(
        default=10,
        ge=0,
        le=100,
        description="A bulk that would end or delete a larger share of the source's people is held",
    )
    vanished: Literal["ignore", "end_membership", "delete"] = Field(
        default="ignore", description="What it means that a bulk no longer names a person"
    )
    partial: bool = Field(
        default=False, description="Set faulty records aside and apply the rest, or refuse all"
    )


class ImportSource(NewImportSource):
    model_config = ConfigDict(json_schema_extra={})

    code: SourceName
    version: int
    changed_at: datetime


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
    """`changed` counts all that differ; `moved` and `ended` are some of them. `vanished`: known
    from this source, absent from this bulk. `kept`: an undo left them, they have changed since."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    vanished: int = 0
    moved: int = 0
    ended: int = 0
    deleted: int = 0
    kept: int = 0


class Held(BaseModel):
    """Why an import waits, or would: it takes out more of the source's people than is agreed."""

    code: Literal["import.too_many_removed"]
    removed: int
    known: int
    limit_percent: int


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
    dry_run: bool = Field(description="Only planned so far: nothing is changed")
    held: Held | None
    quarantined: int = Field(description="Records set aside; see /import-quarantine")
    undoes: UUID | None = Field(description="The import that this one takes back")
    undone_by: UUID | None = Field(description="The import that took this one back")
    created_at: datetime
    created_by: str | None = Field(description="Opaque, who sent it; null: a pull, or not known")
    decided_by: str | None = Field(description="Who applied, confirmed or discarded it; or null")
    finished_at: datetime | None


class ImportedChange(BaseModel):
    """One record changed by an import, or to be changed by a planned one. `before` and `after`
    hold only the fields that differ; an added record has none."""

    import_id: UUID
    kind: RecordKind
    id: UUID
    external_id: str
    version: int | None = Field(description="That the change made; null: none")
    action: Action
    file: str
    line: int | None
    fields: list[str]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class ImportHistory(BaseModel):
    items: list[ImportedChange]


class Quarantined(BaseModel):
    """One fault of a record that was set aside; `released_by` the import that brought it well."""

    import_id: UUID
    source: str
    kind: RecordKind
    external_id: str | None = Field(description="null where it cannot be told whose it is")
    file: str
    line: int | None
    column: str
    code: str
    message: str
    hint: str
    released_by: UUID | None
    created_at: datetime
