"""States the registry publishes. No names of people, contacts, documents or outside ids: ever."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from nastavnik_common.events.base import SchoolYear, State

CalendarYear = Annotated[int, Meta(ge=1900, le=2200)]
Level = Literal["federation", "region", "municipality", "organization"]
OrganizationKind = Literal[
    "general", "vocational", "higher", "additional", "enterprise", "ngo", "other"
]
ParticipantKind = Literal[
    "student",
    "vocational_student",
    "university_student",
    "teacher",
    "employer_representative",
    "alumnus",
    "parent",
    "other",
]


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time under a parent unit."""

    parent_id: UUID
    since: Annotated[date | None, Meta(description="First day; null: from the beginning")] = None
    until: Annotated[date | None, Meta(description="First day no longer; null: open")] = None


class OrganizationState(State, frozen=True, kw_only=True):
    """An org unit: a territory, or an organisation with its kind."""

    level: Level
    kind: Annotated[
        OrganizationKind | None, Meta(description="Of an organisation; null for territories")
    ] = None
    name: Annotated[str, Meta(description="Official name of the unit")]
    oktmo: Annotated[str | None, Meta(description="Territory code, as text")] = None
    placements: Annotated[
        tuple[Placement, ...], Meta(description="Where it stood in the tree, and when")
    ] = ()


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time at an organisation. The primary one is home."""

    organization_id: UUID
    kind: ParticipantKind
    primary: bool = True
    since: Annotated[date | None, Meta(description="First day; null: from the beginning")] = None
    until: Annotated[date | None, Meta(description="First day no longer; null: open")] = None


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """Training that prepares for a role in mentoring, completed."""

    role: Literal["mentor", "curator"] = "mentor"
    completed_on: date


Purpose = Annotated[str, Meta(description="Code of a purpose of processing personal data")]


class ParticipantState(State, frozen=True, kw_only=True):
    """A person, pseudonymous: a random id, the birth year, and dated memberships."""

    birth_year: CalendarYear | None = None
    teaching_since_year: Annotated[
        CalendarYear | None, Meta(description="Year in which pedagogical work began")
    ] = None
    memberships: tuple[Membership, ...] = ()
    trainings: tuple[Training, ...] = ()
    consents: Annotated[
        tuple[Purpose, ...], Meta(description="Purposes consented to now, e.g. mentoring")
    ] = ()
    withdrawn: Annotated[
        tuple[Purpose, ...],
        Meta(description="Purposes whose consent was withdrawn: nothing more is done for these"),
    ] = ()


class TargetState(State, frozen=True, kw_only=True):
    """A target for one indicator: of one unit or, with no unit, of all."""

    indicator: Annotated[str, Meta(description="Code of the indicator, e.g. coverage.students")]
    organization_id: Annotated[UUID | None, Meta(description="Null: every unit")] = None
    school_year: SchoolYear
    basis_points: Annotated[int, Meta(ge=0, le=10000, description="7000 is 70 %")]
    legal_basis: str | None = None
    verified: Annotated[bool, Meta(description="The legal basis was opened and read")] = False


Mechanism = Literal["formalisation", "planning", "forms", "resources", "support"]
DocumentKind = Literal[
    "order",
    "regulation",
    "roadmap",
    "curator_appointment",
    "pairs_order",
    "personal_programmes",
]
DocumentStatus = Literal["draft", "approved", "cancelled"]
Population = Literal["students", "staff"]


class ProgrammeDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document of the programme; its number and text stay in the registry."""

    kind: DocumentKind
    status: DocumentStatus
    date: date


class PlannedForm(msgspec.Struct, frozen=True, kw_only=True):
    form: Annotated[str, Meta(description="Code of a form of mentoring")]
    mentorships: Annotated[int, Meta(ge=0)]


class PlannedMonth(msgspec.Struct, frozen=True, kw_only=True):
    month: Annotated[date, Meta(description="First day of the month")]
    sessions: Annotated[int, Meta(ge=0)]


class ProgrammeState(State, frozen=True, kw_only=True):
    """The mentoring programme of one organisation in one school year."""

    organization_id: UUID
    school_year: SchoolYear
    mechanisms: Annotated[
        tuple[Mechanism, ...], Meta(description="Those of the five that are in place")
    ] = ()
    documents: tuple[ProgrammeDocument, ...] = ()
    forms: tuple[PlannedForm, ...] = ()
    plan: Annotated[tuple[PlannedMonth, ...], Meta(description="Sessions due, by month")] = ()
    curator_id: UUID | None = None
    methodical_materials: bool = False
    material_base: bool = False
    staffed: bool = False
    psychological_support: bool = False


class ReferenceCountState(State, frozen=True, kw_only=True):
    """An official headcount of a unit, as reported elsewhere."""

    organization_id: UUID
    school_year: SchoolYear
    population: Population
    headcount: Annotated[int, Meta(ge=0)]
    source: Annotated[str, Meta(description="E.g. form OO-1")]
    as_of: date
