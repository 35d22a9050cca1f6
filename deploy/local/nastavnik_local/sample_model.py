"""The sample region's vocabulary: sizes, units, people, mentorships, sessions."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal

import msgspec

from nastavnik_common.clock import school_year

Kind = Literal["general", "vocational", "higher", "additional", "enterprise", "ngo"]
Fix = Literal["corrected", "voided"]

# So that September shows a year with sessions in it, a year begins two weeks late here.
_SETTLING = timedelta(days=14)


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How large a region is. Totals are exact; `pupils` and `staff` are of general schools.

    `group` and `sessions` are inclusive bounds: mentees of a group, meetings of a mentorship.
    `pairs` is the share of engaged pupils who work in pairs; `fixes` the share of sessions
    corrected later (half as many are voided).
    """

    name: str
    region: str
    municipalities: int
    organizations: Mapping[Kind, int]
    pupils: int
    staff: int
    students: Mapping[Kind, int]  # per organisation of the kind
    representatives: int  # per enterprise or NGO
    group: tuple[int, int]
    pairs: float
    sessions: tuple[int, int]
    fixes: float


SCALES = {
    "sample": Scale(
        name="sample",
        region="Озёрный край",
        municipalities=5,
        organizations={
            "general": 40,
            "vocational": 6,
            "higher": 2,
            "additional": 5,
            "enterprise": 5,
            "ngo": 2,
        },
        pupils=12_000,
        staff=900,
        students={"vocational": 120, "higher": 150},
        representatives=12,
        group=(7, 13),
        pairs=0.05,
        sessions=(4, 8),
        fixes=0.004,
    ),
    "region": Scale(
        name="region",
        region="Горный край",
        municipalities=52,
        organizations={
            "general": 1_403,
            "vocational": 60,
            "higher": 12,
            "additional": 150,
            "enterprise": 200,
            "ngo": 30,
        },
        pupils=470_000,
        staff=40_500,
        students={"vocational": 500, "higher": 1_500},
        representatives=12,
        group=(4, 8),
        pairs=0.12,
        sessions=(16, 22),
        fixes=0.0002,
    ),
}


class Calendar(msgspec.Struct, frozen=True):
    """The school year shown, and the last day of which anything is told."""

    year: int
    last: date

    @classmethod
    def of(cls, today: date) -> "Calendar":
        """Up to yesterday; in the first days of September the year that has just ended."""
        year = school_year(today - _SETTLING)
        return cls(year, min(today - timedelta(days=1), date(year + 1, 5, 31)))

    @property
    def first(self) -> date:
        return date(self.year, 9, 1)


class Organization(msgspec.Struct, frozen=True):
    """An organisation and how many people it has: learners, teachers, representatives."""

    sid: str
    kind: Kind
    name: str
    learners: int = 0
    teachers: int = 0
    representatives: int = 0


class Municipality(msgspec.Struct, frozen=True):
    """`students` and `staff` are the coverage it will reach, 0…1; `source` names its system."""

    sid: str
    name: str
    oktmo: str
    organizations: tuple[Organization, ...]
    students: float
    staff: float

    @property
    def source(self) -> str:
        return f"sample-{self.sid}"


class Region(msgspec.Struct, frozen=True):
    seed: int
    scale: Scale
    calendar: Calendar
    municipalities: tuple[Municipality, ...]


class Role(msgspec.Struct, frozen=True):
    """A OneRoster role: dates are ISO texts, empty when open."""

    org: str
    role: str
    primary: bool = True
    begin: str = ""
    end: str = ""


class Person(msgspec.Struct, frozen=True):
    """`roles[0]` is home. `grade` is a pupil's grade, 0 for others."""

    sid: str
    family: str
    given: str
    middle: str
    born: date
    roles: tuple[Role, ...]
    grade: int = 0
    teaching_since: date | None = None


class Ending(msgspec.Struct, frozen=True):
    """How a mentorship's work was interrupted or ended: a transition of the activity API."""

    action: Literal["pause", "complete", "terminate"]
    on: date
    reason: str | None = None


class Mentorship(msgspec.Struct, frozen=True):
    """`members` are (person's sid, role). Without `since` it is a draft."""

    key: str
    org: str
    form: str
    members: tuple[tuple[str, str], ...]
    since: date | None
    per_month: int
    ending: Ending | None = None

    @property
    def type(self) -> str:
        return "pair" if sum(role != "curator" for _, role in self.members) == 2 else "group"


class Session(msgspec.Struct, frozen=True):
    """One meeting; `absent` are sids of members who did not come. `fix` is what happens later."""

    number: int
    starts_at: str
    minutes: int
    held: bool
    technology: str
    audience: tuple[str, ...]
    absent: tuple[str, ...]
    fix: Fix | None = None
