"""What a catalogue may say.

A *measure* counts something that events tell of: persons, paired changes, mentorships, sessions,
programmes, gatherings, contributions. An *indicator* puts sums of measures together, over
organisations of some kinds. Adding one out of existing measures is data only; adding a measure of
a known sort is data too, and needs the figures to be folded again.
"""

from datetime import date
from functools import cached_property
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from nastavnik_common.events.activity import (
    Domain,
    RespondentRole,
    Role,
    Scale,
    SurveyStage,
)
from nastavnik_common.events.registry import (
    DocumentKind,
    OrganizationKind,
    ParticipantKind,
    Population,
)

ALL = "all"
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$")]
Range = tuple[Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=0)]]


class _Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Who(_Model, frozen=True, kw_only=True):
    """Persons of the population, narrowed. Age and experience in full years on 31 December."""

    kinds: tuple[ParticipantKind, ...] = ()
    age: Range | None = None
    experience: Range | None = None
    trained: bool = False
    trajectory: bool = False


class Engaged(_Model, frozen=True, kw_only=True):
    """Members of a mentorship, active in the year, who attended enough held sessions in it."""

    roles: Annotated[tuple[Role, ...], Meta(min_length=1)]
    min_sessions: Annotated[int, Meta(ge=0)] = 1


class Responded(_Model, frozen=True, kw_only=True):
    """Persons who answered at this stage, by their latest score; at least so high, if said."""

    scale: Scale
    stage: SurveyStage = "exit"
    roles: Annotated[tuple[RespondentRole, ...], Meta(min_length=1)]
    at_least: Annotated[int, Meta(ge=0, le=1000)] | None = None


Take = Literal["pairs", "improved", "sum", "squares"]


class Change(_Model, frozen=True, kw_only=True):
    """The paired change of a scale (of persons in these roles) or of an assessed domain (of
    persons and organisations): how many pairs, how many improved, the sum of the changes in
    hundredths, or the sum of their squares."""

    take: Take
    scale: Scale | None = None
    roles: tuple[RespondentRole, ...] = ()
    domain: Domain | None = None


class Programmes(_Model, frozen=True, kw_only=True):
    """Programmes, narrowed; or the mechanisms in place, or the sessions planned, in them."""

    take: Literal["count", "mechanisms", "planned_sessions"] = "count"
    documents: tuple[DocumentKind, ...] = ()
    base: bool = False


class Measure(_Model, frozen=True, kw_only=True):
    """Exactly one of the sorts; `engaged` goes with `who`."""

    code: Code
    who: Who | None = None
    engaged: Engaged | None = None
    responded: Responded | None = None
    change: Change | None = None
    mentorships: (
        Literal["active", "completed", "terminated", "regular", "judged", "too_young"] | None
    ) = None
    sessions: Literal["count", "minutes", "attended", "expected"] | None = None
    programmes: Programmes | None = None
    gatherings: Literal["count", "minutes"] | None = None
    contributions: Literal["count", "kopecks"] | None = None

    @property
    def sorts(self) -> list[str]:
        names = (
            "who",
            "responded",
            "change",
            "mentorships",
            "sessions",
            "programmes",
            "gatherings",
            "contributions",
        )
        return [name for name in names if getattr(self, name) is not None]

    @property
    def sliced(self) -> bool:
        """Whether it is counted by form, technology and audience too, not in all alone."""
        if self.who is not None:
            return self.engaged is not None
        return self.programmes is None and self.contributions is None


class Term(_Model, frozen=True, kw_only=True):
    """A sum over the organisations (of these kinds; empty: of any) under the unit.

    ``measured``: of the measure, times a factor. ``organizations_with``: organisations where it is
    above zero. ``organizations``: the organisations themselves, whatever they measure.
    """

    count: Literal["measured", "organizations_with", "organizations"] = "measured"
    measure: Code | None = None
    times: Annotated[int, Meta(ge=1)] = 1
    organizations: tuple[OrganizationKind, ...] = ()


class Goal(_Model, frozen=True, kw_only=True):
    """A target, in the indicator's unit, from this school year on, until a later one."""

    school_year: int
    value: Annotated[float, Meta(ge=0)]
    source: str
    verified: bool


class Title(_Model, frozen=True, kw_only=True):
    ru: str
    en: str


class Effect(_Model, frozen=True, kw_only=True):
    """The measures of a paired change, for its mean and its effect size."""

    pairs: Code
    sum: Code
    squares: Code


Unit = Literal["percent", "quotient", "points", "count", "rub", "hours"]


class Indicator(_Model, frozen=True, kw_only=True):
    code: Code
    version: Annotated[int, Meta(ge=1)]
    group: Literal["coverage", "organisational", "methodical", "personal", "results", "activity"]
    title: Title
    unit: Unit = "percent"
    numerator: Annotated[tuple[Term, ...], Meta(min_length=1)]
    denominator: tuple[Term, ...] = ()
    waiting: Annotated[tuple[Term, ...], Meta(description="What is too young to be judged")] = ()
    effect: Effect | None = None
    at: Literal["latest", "whole_month"] = "latest"
    reference: tuple[Population, ...] = ()
    """Official headcounts that the denominator can be held against."""
    targets: tuple[Goal, ...] = ()
    effective_from: int | None = None
    """The first school year this version of the definition is for."""
    retired_from: int | None = None

    def goal(self, school_year: int) -> Goal | None:
        """The target in force in the year."""
        reached = [goal for goal in self.targets if goal.school_year <= school_year]
        return max(reached, key=lambda goal: goal.school_year, default=None)

    @property
    def terms(self) -> tuple[Term, ...]:
        return (*self.numerator, *self.denominator, *self.waiting)


class Catalogue(_Model, frozen=True, kw_only=True, dict=True):
    census: date
    """Only month and day matter: the census date of every school year."""
    measures: tuple[Measure, ...]
    indicators: tuple[Indicator, ...]

    @property
    def census_day(self) -> tuple[int, int]:
        return self.census.month, self.census.day

    @cached_property
    def by_sort(self) -> dict[str, tuple[Measure, ...]]:
        found: dict[str, list[Measure]] = {}
        for measure in self.measures:
            found.setdefault(measure.sorts[0], []).append(measure)
        return {sort: tuple(measures) for sort, measures in found.items()}

    def of(self, sort: str) -> tuple[Measure, ...]:
        return self.by_sort.get(sort, ())

    @cached_property
    def rules(self) -> frozenset[Engaged]:
        """The different things that measures ask persons to have done."""
        return frozenset(m.engaged for m in self.measures if m.engaged is not None)

    @cached_property
    def enough_sessions(self) -> int:
        """Beyond so many attended sessions of a month, one more changes no figure of a person."""
        return max((rule.min_sessions for rule in self.rules), default=0)

    @cached_property
    def about_people(self) -> frozenset[str]:
        """Codes of the indicators whose numerator counts people."""
        people = {m.code for m in self.measures if m.who or m.responded or m.change}
        return frozenset(
            indicator.code
            for indicator in self.indicators
            if any(t.count == "measured" and t.measure in people for t in indicator.numerator)
        )

    @cached_property
    def sliced(self) -> dict[str, bool]:
        return {measure.code: measure.sliced for measure in self.measures}

    def current(self, school_year: int) -> list[Indicator]:
        """The definitions for the year: of each code the newest that is in force, none when
        that one is retired."""
        chosen: dict[str, Indicator] = {}
        for indicator in sorted(self.indicators, key=lambda i: i.version):
            if indicator.effective_from is None or indicator.effective_from <= school_year:
                chosen[indicator.code] = indicator
        return [
            i for i in chosen.values() if i.retired_from is None or school_year < i.retired_from
        ]

    def versions(self, code: str) -> list[Indicator]:
        return sorted((i for i in self.indicators if i.code == code), key=lambda i: i.version)
