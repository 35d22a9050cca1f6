"""Histories for the property tests: versions of a few aggregates, in any order, repeated."""

from datetime import date
from typing import Any

import msgspec
from hypothesis import strategies as st

from nastavnik_common import events
from nastavnik_common.events.activity import Attendance, Member, Period, Role
from nastavnik_common.events.registry import Membership, Placement
from tests.metrics.world import ident, meeting, pair, person, school, unit

SCHOOLS = ("s1", "s2", "works", "college")
KINDS = {"s1": "general", "s2": "general", "works": "enterprise", "college": "vocational"}
PEOPLE = ("p1", "p2", "p3", "p4")
PAIRS = ("m1", "m2")
MEETINGS = ("x1", "x2", "x3")

_days = st.dates(date(2024, 8, 25), date(2027, 9, 5))
_marks = st.sampled_from(
    [
        date(2025, 8, 31),
        date(2025, 9, 1),
        date(2026, 5, 31),
        date(2026, 6, 1),
        date(2026, 8, 31),
        date(2026, 9, 1),
        date(2027, 5, 31),
    ]
)
dates = st.one_of(_days, _marks)
_kinds = st.sampled_from(["student", "teacher", "employer_representative", "vocational_student"])


@st.composite
def spans(draw: st.DrawFn, open_start: bool = False) -> tuple[Any, Any]:
    first, second = sorted(draw(st.tuples(dates, dates)))
    since = draw(st.sampled_from([first, None])) if open_start else first
    return since, draw(st.sampled_from([second, None]))


@st.composite
def people(draw: st.DrawFn, name: str) -> Any:
    """Up to two homes, one after the other, and perhaps a second place that is no home."""
    kind, place = draw(_kinds), draw(st.sampled_from(SCHOOLS))
    since, until = draw(spans(open_start=True))
    homes = [_home(place, kind, since, until)]
    if until is not None and draw(st.booleans()):
        homes.append(_home(draw(st.sampled_from(SCHOOLS)), draw(_kinds), until, None))
    if draw(st.booleans()):
        homes.append(_home(draw(st.sampled_from(SCHOOLS)), kind, None, None, primary=False))
    return person(
        name,
        place,
        birth_year=draw(st.one_of(st.none(), st.integers(2005, 2018))),
        teaching_since_year=draw(st.one_of(st.none(), st.integers(2019, 2027))),
        memberships=tuple(homes),
    )


def _home(place: str, kind: Any, since: Any, until: Any, primary: bool = True) -> Membership:
    return Membership(
        organization_id=ident(place), kind=kind, since=since, until=until, primary=primary
    )


@st.composite
def pairs(draw: st.DrawFn, name: str) -> Any:
    chosen = draw(st.lists(st.sampled_from(PEOPLE), unique=True, max_size=3))
    roles: st.SearchStrategy[Role] = st.sampled_from(["mentor", "mentee", "curator"])
    periods = draw(st.lists(spans(), max_size=2))
    federal = draw(st.sampled_from(["student_student", "teacher_teacher"]))
    return pair(
        name,
        "p1",
        "p2",
        members=tuple(Member(participant_id=ident(p), role=draw(roles)) for p in chosen),
        periods=tuple(Period(since=since, until=until) for since, until in periods),
        federal_form=federal,
        form=draw(st.sampled_from([federal, "own_form"])),
    )


@st.composite
def meetings(draw: st.DrawFn, name: str) -> Any:
    present = draw(st.lists(st.sampled_from(PEOPLE), unique=True))
    return meeting(
        name,
        draw(st.sampled_from(PAIRS)),
        day=draw(dates),
        status=draw(st.sampled_from(["held", "held", "held", "cancelled", "voided"])),
        attendance=tuple(
            Attendance(participant_id=ident(p), attended=draw(st.booleans())) for p in present
        ),
    )


@st.composite
def units(draw: st.DrawFn, name: str) -> Any:
    """A school, perhaps moved from one municipality to the other."""
    moved = draw(st.one_of(st.none(), dates))
    first, second = draw(st.permutations(["east", "west"]))
    placements = [Placement(parent_id=ident(first), until=moved)]
    if moved is not None:
        placements.append(Placement(parent_id=ident(second), since=moved))
    return school(name, first, kind=KINDS[name], placements=tuple(placements))


TERRITORIES = [
    unit("country", "federation"),
    unit("region", "region", "country"),
    unit("east", "municipality", "region"),
    unit("west", "municipality", "region"),
]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Any, int, Any]]:
    """(kind, version, state or None for a deletion), every version of every aggregate once."""
    found: list[tuple[Any, int, Any]] = [(events.ORGANIZATION, 1, s) for s in TERRITORIES]
    for kind, names, strategy in (
        (events.ORGANIZATION, SCHOOLS, units),
        (events.PARTICIPANT, PEOPLE, people),
        (events.MENTORSHIP, PAIRS, pairs),
        (events.SESSION, MEETINGS, meetings),
    ):
        for name in names:
            for version in range(1, draw(st.integers(1, 3)) + 1):
                gone = version > 1 and kind is not events.ORGANIZATION and draw(st.booleans())
                found.append((kind, version, None if gone else _at(draw(strategy(name)), version)))
                if gone:
                    found[-1] = (kind, version, ident(name))
    return found


def _at(state: Any, version: int) -> Any:
    return msgspec.structs.replace(state, version=version)
