"""Official headcounts."""

from datetime import date
from uuid import UUID

from pydantic import BaseModel

from nastavnik_common import examples
from nastavnik_common.events.registry import Population
from nastavnik_common.examples import example
from nastavnik_common.fields import ABSENT
from nastavnik_registry.bodies.base import Body, Count, SchoolYearLabel, Text


class NewReferenceCount(Body):
    model_config = example(
        organization_id=examples.SCHOOL,
        school_year="2026/27",
        population="students",
        headcount=640,
        source="ОО-1",
        as_of="2026-09-20",
    )

    id: UUID | None = None
    organization_id: UUID
    school_year: SchoolYearLabel
    population: Population
    headcount: Count
    source: Text
    as_of: date


class ReferenceCountPatch(Body):
    """What is absent stays; nothing can be cleared."""

    model_config = example(headcount=641)

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
