"""What the log says now, as the recount reads it: the latest state of every aggregate.

Only the fields that are counted. Nothing here comes from the services or their event models.
"""

from datetime import date

import msgspec


class Dated(msgspec.Struct, frozen=True):
    """A stretch [since, until) at an organisation, or under a parent."""

    since: date | None
    until: date | None
    organization: str = ""
    kind: str = ""
    primary: bool = False
    parent: str = ""


class Organization(msgspec.Struct, frozen=True):
    level: str
    kind: str | None
    name: str
    placements: tuple[Dated, ...]


class Person(msgspec.Struct, frozen=True):
    birth_year: int | None
    teaching_since_year: int | None
    memberships: tuple[Dated, ...]
    trainings: tuple[tuple[str, date], ...] = ()  # for which role, completed on which day


class Mentorship(msgspec.Struct, frozen=True):
    form: str
    federal_form: str
    members: dict[str, str]  # person → role
    periods: tuple[tuple[date, date | None], ...]
    organization: str = ""
    status: str = "active"
    sessions_per_month: int | None = None


class Session(msgspec.Struct, frozen=True):
    mentorship: str
    status: str
    day: date
    attended: tuple[str, ...]
    absent: tuple[str, ...] = ()
    minutes: int = 0
    technology: str | None = None
    audience: tuple[str, ...] = ()


class Programme(msgspec.Struct, frozen=True):
    organization: str
    year: int
    mechanisms: tuple[str, ...] = ()
    approved: tuple[str, ...] = ()  # kinds of the approved documents
    plan: tuple[tuple[date, int], ...] = ()  # first day of a month, sessions due in it
    curator: str | None = None
    materials: bool = False


class Survey(msgspec.Struct, frozen=True):
    respondent: str
    role: str
    stage: str
    day: date
    scores: dict[str, int]  # scale → hundredths of a point
    mentorship: str | None = None
    status: str = "valid"


class Assessment(msgspec.Struct, frozen=True):
    subject: str
    subject_kind: str
    domain: str
    instrument: str
    stage: str
    day: date
    value: int  # hundredths
    higher_is_better: bool = True
    mentorship: str | None = None
    status: str = "valid"


class Contribution(msgspec.Struct, frozen=True):
    organization: str
    kopecks: int
    day: date
    status: str = "valid"


class Gathering(msgspec.Struct, frozen=True):
    organization: str
    status: str
    day: date
    minutes: int
    technology: str | None = None
    audience: tuple[str, ...] = ()


class Log(msgspec.Struct):
    """Every aggregate by its id, and how many records it took to read them."""

    organizations: dict[str, Organization]
    persons: dict[str, Person]
    mentorships: dict[str, Mentorship]
    sessions: dict[str, Session]
    records: int = 0
    programmes: dict[str, Programme] = msgspec.field(default_factory=dict)
    surveys: dict[str, Survey] = msgspec.field(default_factory=dict)
    assessments: dict[str, Assessment] = msgspec.field(default_factory=dict)
    contributions: dict[str, Contribution] = msgspec.field(default_factory=dict)
    gatherings: dict[str, Gathering] = msgspec.field(default_factory=dict)
