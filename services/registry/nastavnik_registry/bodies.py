"""What goes over HTTP. Text is stripped and has no NUL; unknown fields are refused."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from nastavnik_common import clock
from nastavnik_common.events.registry import Level, OrganizationKind, ParticipantKind

NO_NUL = r"^[^\x00]*$"
CODE = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$"
SOURCE = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


def _text(longest: int) -> Any:
    return StringConstraints(
        strip_whitespace=True, min_length=1, max_length=longest, pattern=NO_NUL
    )


Text = Annotated[str, _text(255)]
LongText = Annotated[str, _text(2000)]
Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{8,15}$")]
SourceName = Annotated[
    str,
    StringConstraints(pattern=SOURCE, max_length=63),
    Field(description="The outside system, by a name that stays the same"),
]
OutsideId = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_NUL)]
IndicatorCode = Annotated[str, StringConstraints(pattern=CODE, max_length=100)]


def _school_year(label: str) -> str:
    try:
        clock.parse_label(label)
    except ValueError:
        raise ValueError("the second year is not the one after the first") from None
    return label


SchoolYearLabel = Annotated[
    str,
    StringConstraints(pattern=r"^(199[0-9]|20[0-9]{2}|21[0-9]{2})/[0-9]{2}$"),
    AfterValidator(_school_year),
    Field(examples=["2026/27"], description="First year and the last two digits of the next"),
]


def _number(value: Any) -> Any:
    """JSON numbers only: neither text nor true."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("not a number")
    return value


Percent = Annotated[
    Decimal,
    Field(ge=0, le=100, decimal_places=2),
    BeforeValidator(_number),
    WithJsonSchema(
        {
            "type": "number",
            "minimum": 0,
            "maximum": 100,
            "multipleOf": 0.01,
            "description": "At most two decimals",
        }
    ),
]
EntityKind = Literal["organization", "participant"]
AggregateKind = Literal["organization", "participant", "target"]


ABSENT: Any = None
"""Default of a field that a patch may leave out but not clear; `model_fields_set` tells."""


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PlacementBody(Body):
    """A stretch of time under a parent: [since, until), null is open."""

    parent_id: UUID
    since: date | None = None
    until: date | None = None


class MembershipBody(Body):
    """A stretch of time at an organisation: [since, until). The primary one is home."""

    organization_id: UUID
    kind: ParticipantKind
    primary: bool = True
    since: date | None = None
    until: date | None = None


class ExternalRef(Body):
    source: SourceName
    id: OutsideId


Placements = Annotated[list[PlacementBody], Field(max_length=100)]
Memberships = Annotated[list[MembershipBody], Field(max_length=200)]
ExternalRefs = Annotated[list[ExternalRef], Field(max_length=50)]


class OrganizationFields(Body):
    kind: OrganizationKind | None = Field(
        default=None, description="Required of an organisation, forbidden for territories"
    )
    short_name: Text | None = None
    oktmo: Digits | None = None
    inn: Digits | None = None
    ogrn: Digits | None = None
    parent_id: UUID | None = Field(
        default=None, description="Short for one open placement; not together with `placements`"
    )


class NewOrganization(OrganizationFields):
    id: UUID | None = None
    level: Level
    name: Text
    placements: Placements | None = None
    external_ids: ExternalRefs = []


class OrganizationPatch(OrganizationFields):
    """What is absent stays; null clears. The level of a unit never changes."""

    name: Text = ABSENT
    placements: Placements = ABSENT
    external_ids: ExternalRefs = ABSENT


class Organization(BaseModel):
    id: UUID
    version: int
    level: Level
    kind: OrganizationKind | None
    name: str
    short_name: str | None
    oktmo: str | None
    inn: str | None
    ogrn: str | None
    code: str | None = Field(description="The source system's own code, from an import")
    placements: list[PlacementBody]
    external_ids: list[ExternalRef]


class ParticipantFields(Body):
    middle_name: Text | None = None
    birth_date: date | None = None
    email: Text | None = None
    phone: Text | None = None
    teaching_since: date | None = Field(
        default=None, description="Day on which pedagogical work began"
    )


class NewParticipant(ParticipantFields):
    id: UUID | None = None
    family_name: Text
    given_name: Text
    memberships: Memberships
    external_ids: ExternalRefs = []


class ParticipantPatch(ParticipantFields):
    """What is absent stays; null clears. Memberships are replaced as a whole."""

    family_name: Text = ABSENT
    given_name: Text = ABSENT
    memberships: Memberships = ABSENT
    external_ids: ExternalRefs = ABSENT


class Participant(BaseModel):
    id: UUID
    version: int
    family_name: str
    given_name: str
    middle_name: str | None
    birth_date: date | None
    email: str | None
    phone: str | None
    teaching_since: date | None
    memberships: list[MembershipBody]
    external_ids: list[ExternalRef]


class NewTarget(Body):
    id: UUID | None = None
    indicator: IndicatorCode
    organization_id: UUID | None = Field(default=None, description="null: every unit")
    school_year: SchoolYearLabel
    percent: Percent
    legal_basis: LongText | None = None
    verified: bool = Field(default=False, description="The legal basis was opened and read")


class TargetPatch(Body):
    """What is absent stays; null clears."""

    indicator: IndicatorCode = ABSENT
    organization_id: UUID | None = None
    school_year: SchoolYearLabel = ABSENT
    percent: Percent = ABSENT
    legal_basis: LongText | None = None
    verified: bool = ABSENT


class Target(BaseModel):
    id: UUID
    version: int
    indicator: str
    organization_id: UUID | None
    school_year: str
    percent: float
    legal_basis: str | None
    verified: bool


class Deleted(BaseModel):
    """The marker left behind; `version` is the tombstone's."""

    id: UUID
    version: int
    deleted: Literal[True] = True


class ResolveRequest(Body):
    source: SourceName
    kind: EntityKind
    ids: Annotated[list[OutsideId], Field(max_length=10_000)]


class Resolved(BaseModel):
    found: dict[str, UUID]
    unknown: list[str]


class Republished(BaseModel):
    """How many events were put into the outbox, by kind; tombstones included."""

    counts: dict[str, int]


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
