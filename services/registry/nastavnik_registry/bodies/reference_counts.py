"""Official headcounts."""

from datetime import date
from uuid import UUID

from pydantic import BaseModel

from nastavnik_common.events.registry import Population
from nastavnik_registry.bodies.base import ABSENT, Body, Count, SchoolYearLabel, Text


class NewReferenceCount(Body):
    id: UUID | None = None
    organization_id: UUID
    school_year: SchoolYearLabel
    population: Population
    headcount: Count
    source: Text
    as_of: date


class ReferenceCountPatch(Body):
    """What is absent stays; nothing can be cleared."""

    organization_id: UUID = ABSENT
    school_year: SchoolYearLabel = ABSENT
    population: Population = ABSENT
    headcount: Count = ABSENT
    source: Text = ABSENT
    as_of: date = ABSENT


class ReferenceCount(BaseModel):
    id: UUID
    version: int
    organization_id: UUID
    school_year: str
    population: Population
    headcount: int
    source: str
    as_of: date
