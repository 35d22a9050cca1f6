"""What a catalogue may say.

A *measure* counts persons: who they are (kind, age, experience) and, if asked, what they did
(roles in which they attended at least so many held sessions). An *indicator* is a ratio of sums
of measures over organisations of some kinds. Adding one out of existing measures is data only.
"""

import tomllib
from collections import Counter
from datetime import date
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from nastavnik_common.events.activity import Role
from nastavnik_common.events.registry import OrganizationKind, ParticipantKind

ALL_FORMS = "all"
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$")]
Range = tuple[Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=0)]]


class CatalogueError(ValueError):
    """A definition is refused; the message names the place and the reason."""


class _Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Who(_Model, frozen=True, kw_only=True):
    """Persons of the population, narrowed. Age and experience in full years on 31 December."""

    kinds: tuple[ParticipantKind, ...] = ()
    age: Range | None = None
    experience: Range | None = None


class Engaged(_Model, frozen=True, kw_only=True):
    """Members of a mentorship, active in the year, who attended enough held sessions in it."""

    roles: Annotated[tuple[Role, ...], Meta(min_length=1)]
    min_sessions: Annotated[int, Meta(ge=0)] = 1


class Measure(_Model, frozen=True, kw_only=True):
    code: Code
    who: Who
    engaged: Engaged | None = None


class Term(_Model, frozen=True, kw_only=True):
    """A sum over the organisations (of these kinds; empty: of any) under the unit.

    ``persons``: of the measure. ``organizations_with``: organisations where it is above zero.
    ``organizations``: the organisations themselves, whatever they measure.
    """

    count: Literal["persons", "organizations_with", "organizations"] = "persons"
    measure: Code | None = None
    organizations: tuple[OrganizationKind, ...] = ()


class Goal(_Model, frozen=True, kw_only=True):
    """A target in percent from this school year on, until a later one."""

    school_year: int
    percent: Annotated[float, Meta(ge=0, le=100)]
    source: str
    verified: bool


class Title(_Model, frozen=True, kw_only=True):
    ru: str
    en: str


class Indicator(_Model, frozen=True, kw_only=True):
    code: Code
    version: Annotated[int, Meta(ge=1)]
    group: Literal["coverage", "organisational", "methodical", "personal", "results"]
    title: Title
    numerator: Annotated[tuple[Term, ...], Meta(min_length=1)]
    denominator: Annotated[tuple[Term, ...], Meta(min_length=1)]
    targets: tuple[Goal, ...] = ()

    def goal(self, school_year: int) -> Goal | None:
        """The target in force in the year."""
        reached = [goal for goal in self.targets if goal.school_year <= school_year]
        return max(reached, key=lambda goal: goal.school_year, default=None)


class Catalogue(_Model, frozen=True, kw_only=True, dict=True):
    census: date
    """Only month and day matter: the census date of every school year."""
    measures: tuple[Measure, ...]
    indicators: tuple[Indicator, ...]

    @property
    def census_day(self) -> tuple[int, int]:
        return self.census.month, self.census.day

    @cached_property
    def rules(self) -> frozenset[Engaged]:
        """The different things that measures ask persons to have done."""
        return frozenset(m.engaged for m in self.measures if m.engaged is not None)

    @cached_property
    def enough_sessions(self) -> int:
        """Beyond so many attended sessions of a mentorship, one more changes no figure."""
        return max((rule.min_sessions for rule in self.rules), default=0)

    def indicator(self, code: str) -> Indicator | None:
        return next((i for i in self.indicators if i.code == code), None)


def load(path: Path | None = None) -> Catalogue:
    """The catalogue of a file, by default the one shipped; CatalogueError when it is broken."""
    if path is None:
        text = (resources.files(__package__) / "catalogue.toml").read_text()
    else:
        text = path.read_text()
    return parse(text)


def parse(text: str) -> Catalogue:
    try:
        catalogue = msgspec.convert(tomllib.loads(text), Catalogue)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise CatalogueError(str(error)) from error
    _check(catalogue)
    return catalogue


def _check(catalogue: Catalogue) -> None:
    _unique("measure", [m.code for m in catalogue.measures])
    _unique("indicator", [i.code for i in catalogue.indicators])
    known = {m.code for m in catalogue.measures}
    for indicator in catalogue.indicators:
        for term in (*indicator.numerator, *indicator.denominator):
            _check_term(indicator.code, term, known)
    for measure in catalogue.measures:
        for name, span in (("age", measure.who.age), ("experience", measure.who.experience)):
            if span is not None and span[0] > span[1]:
                raise CatalogueError(f"measure {measure.code}: {name} {span} is empty")


def _unique(what: str, codes: list[str]) -> None:
    for code, times in Counter(codes).items():
        if times > 1:
            raise CatalogueError(f"{what} {code} is defined {times} times")


def _check_term(indicator: str, term: Term, known: set[str]) -> None:
    needs = term.count != "organizations"
    if needs and term.measure is None:
        raise CatalogueError(
            f"indicator {indicator}: a term that counts {term.count} needs a measure"
        )
    if not needs and term.measure is not None:
        raise CatalogueError(f"indicator {indicator}: counting organizations takes no measure")
    if term.measure is not None and term.measure not in known:
        raise CatalogueError(f"indicator {indicator}: there is no measure {term.measure}")
