"""What the sample region's organisations record beside mentorships and sessions.

People, organisations and mentorships are named by their outside ids and keys, as everywhere in the
sample; `key` names the record itself.
"""

from datetime import date
from typing import Literal

import msgspec

from nastavnik_common.events.activity import (
    Audience,
    Domain,
    PartnerKind,
    ResourceKind,
    SubjectKind,
    SurveyStage,
    Technology,
)
from nastavnik_common.events.registry import DocumentKind, DocumentStatus, Mechanism, Population


class Document(msgspec.Struct, frozen=True):
    kind: DocumentKind
    number: str
    on: date
    status: DocumentStatus


class Programme(msgspec.Struct, frozen=True, kw_only=True):
    """Of one organisation in the year. `plan`: first days of months, sessions due in each."""

    org: str
    mechanisms: tuple[Mechanism, ...]
    documents: tuple[Document, ...]
    forms: tuple[tuple[str, int], ...]
    plan: tuple[tuple[date, int], ...]
    curator: str | None
    methodical_materials: bool
    material_base: bool
    staffed: bool
    psychological_support: bool


class Training(msgspec.Struct, frozen=True):
    """A mentor's, completed."""

    person: str
    on: date


class Headcount(msgspec.Struct, frozen=True):
    """An official one; `unit` is an organisation or a territory."""

    unit: str
    population: Population
    headcount: int
    as_of: date


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """Answers of one person, about a mentorship (its key) or else about an organisation, where
    the role must be told. Some are voided later."""

    key: str
    mentorship: str | None = None
    org: str | None = None
    respondent: str
    role: Literal["parent", "teacher"] | None = None
    questionnaire: str
    version: int
    stage: SurveyStage
    on: date
    answers: tuple[tuple[str, int], ...]
    voided: bool = False


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of a subject; `corrected` is the value it is given later, if it is."""

    key: str
    mentorship: str | None = None
    org: str | None = None
    subject: str
    subject_kind: SubjectKind
    domain: Domain
    instrument: str
    stage: Literal["before", "after"]
    on: date
    value: str
    higher_is_better: bool = True
    corrected: str | None = None


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner gave; some partners are not named. `amount` is in roubles."""

    key: str
    org: str
    partner_kind: PartnerKind
    partner: str | None
    kind: ResourceKind
    amount: str
    on: date


class Gathering(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    org: str
    held: bool
    on: date
    minutes: int
    technology: Technology
    audience: tuple[Audience, ...]
    attendees: int
