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


class ParticipantState(State, frozen=True, kw_only=True):
    """A person, pseudonymous: a random id, the birth year, and dated memberships."""

    birth_year: CalendarYear | None = None
    teaching_since_year: Annotated[
        CalendarYear | None, Meta(description="Year in which pedagogical work began")
    ] = None
    memberships: tuple[Membership, ...] = ()


class TargetState(State, frozen=True, kw_only=True):
    """A target for one indicator: of one unit or, with no unit, of all."""

    indicator: Annotated[str, Meta(description="Code of the indicator, e.g. coverage.students")]
    organization_id: Annotated[UUID | None, Meta(description="Null: every unit")] = None
    school_year: SchoolYear
    basis_points: Annotated[int, Meta(ge=0, le=10000, description="7000 is 70 %")]
    legal_basis: str | None = None
    verified: Annotated[bool, Meta(description="The legal basis was opened and read")] = False
