"""Programmes."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool, StringConstraints

from nastavnik_common import examples
from nastavnik_common.events.registry import DocumentKind, DocumentStatus, Mechanism
from nastavnik_common.examples import example
from nastavnik_common.fields import ABSENT
from nastavnik_registry.bodies.base import Body, Count, SchoolYearLabel, Text

FormCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
Month = Annotated[
    str,
    StringConstraints(pattern=r"^(199[0-9]|20[0-9]{2}|2[12][0-9]{2})-(0[1-9]|1[0-2])$"),
    Field(examples=["2026-10"]),
]


class DocumentBody(Body):
    kind: DocumentKind
    number: Text | None = None
    date: date
    status: DocumentStatus


class FormBody(Body):
    form: FormCode
    mentorships: Count


class MonthBody(Body):
    month: Month
    sessions: Count


Mechanisms = Annotated[list[Mechanism], Field(max_length=20)]
Documents = Annotated[
    list[DocumentBody], Field(max_length=200, description="One approved document of a kind")
]
Forms = Annotated[list[FormBody], Field(max_length=100, description="Each form once")]
Plan = Annotated[
    list[MonthBody], Field(max_length=50, description="Months of the school year, each once")
]
_NOTHING: Any = Field(default=[])
_NO: Any = Field(default=False)


class NewProgramme(Body):
    model_config = example(
        organization_id=examples.SCHOOL,
        school_year="2026/27",
        mechanisms=["planning", "forms"],
        documents=[{"kind": "order", "number": "12", "date": "2026-08-28", "status": "approved"}],
        forms=[{"form": "student_student", "mentorships": 20}],
        plan=[{"month": "2026-10", "sessions": 40}],
        staffed=True,
    )

    id: UUID | None = None
    organization_id: UUID
    school_year: SchoolYearLabel
    mechanisms: Mechanisms = _NOTHING
    documents: Documents = _NOTHING
    forms: Forms = _NOTHING
    plan: Plan = _NOTHING
    curator_id: UUID | None = None
    methodical_materials: StrictBool = _NO
    material_base: StrictBool = _NO
    staffed: StrictBool = _NO
    psychological_support: StrictBool = _NO


class ProgrammePatch(Body):
    """What is absent stays; null clears. Lists are replaced as a whole."""

    model_config = example(material_base=True)

    organization_id: UUID = ABSENT
    school_year: SchoolYearLabel = ABSENT
    mechanisms: Mechanisms = ABSENT
    documents: Documents = ABSENT
    forms: Forms = ABSENT
    plan: Plan = ABSENT
    curator_id: UUID | None = None
    methodical_materials: StrictBool = ABSENT
    material_base: StrictBool = ABSENT
    staffed: StrictBool = ABSENT
    psychological_support: StrictBool = ABSENT


class Programme(BaseModel):
    id: UUID
    version: int
    organization_id: UUID
    school_year: str
    mechanisms: list[Mechanism]
    documents: list[DocumentBody]
    forms: list[FormBody]
    plan: list[MonthBody]
    curator_id: UUID | None
    methodical_materials: bool
    material_base: bool
    staffed: bool
    psychological_support: bool
