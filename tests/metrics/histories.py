"""Histories for the property tests: versions of a few aggregates, in any order, repeated."""

from datetime import date
from typing import Any, Literal

import msgspec
from hypothesis import strategies as st

from nastavnik_common import events
from nastavnik_common.events.activity import (
    AssessmentState,
    Attendance,
    Audience,
    ContributionState,
    Domain,
    GatheringState,
    Member,
    MentorshipStatus,
    Period,
    RecordStatus,
    RespondentRole,
    Role,
    Scale,
    Score,
    SubjectKind,
    SurveyStage,
    SurveyState,
)
from nastavnik_common.events.registry import (
    DocumentKind,
    DocumentStatus,
    Mechanism,
    Membership,
    Placement,
    PlannedMonth,
    ProgrammeDocument,
    ProgrammeState,
    Training,
)
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
near = st.sampled_from(
    [
        date(2025, 8, 31),
        date(2025, 9, 1),
        date(2026, 5, 20),
        date(2026, 10, 1),
        date(2026, 10, 15),
        date(2027, 2, 1),
    ]
)
SCALES: tuple[Scale, ...] = ("motivation", "satisfaction", "climate", "environment")
ROLES: tuple[RespondentRole, ...] = ("mentor", "mentee", "teacher", "parent")
STAGES: tuple[SurveyStage, ...] = ("entry", "exit", "exit", "interim")
DOMAINS: tuple[Domain, ...] = ("educational", "personal", "trajectory")
MOMENTS: tuple[Literal["before", "after"], ...] = ("before", "after")
DOCUMENTS: tuple[DocumentKind, ...] = (
    "order",
    "regulation",
    "roadmap",
    "curator_appointment",
    "pairs_order",
)
MECHANISMS: tuple[Mechanism, ...] = ("formalisation", "planning", "forms")
AUDIENCES: tuple[Audience, ...] = ("parents", "staff")
STATUSES: tuple[MentorshipStatus, ...] = ("active", "paused", "completed", "terminated")
_record_status: st.SearchStrategy[RecordStatus] = st.sampled_from(["valid", "valid", "voided"])
_named_pair = st.sampled_from([None, ident("m1"), ident("m2")])
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
        trainings=tuple(Training(completed_on=d) for d in draw(st.lists(near, max_size=1))),
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
        organization_id=ident(draw(st.sampled_from(SCHOOLS))),
        status=draw(st.sampled_from(STATUSES)),
        sessions_per_month=draw(st.sampled_from([None, 1, 2])),
    )


@st.composite
def meetings(draw: st.DrawFn, name: str) -> Any:
    present = draw(st.lists(st.sampled_from(PEOPLE), unique=True))
    return meeting(
        name,
        draw(st.sampled_from(PAIRS)),
        day=draw(dates),
        status=draw(st.sampled_from(["held", "held", "held", "cancelled", "voided"])),
        technology=draw(st.sampled_from([None, "project", "talk"])),
        audience=tuple(draw(st.lists(st.sampled_from(AUDIENCES), unique=True))),
        attendance=tuple(
            Attendance(participant_id=ident(p), attended=draw(st.booleans())) for p in present
        ),
    )


@st.composite
def surveys(draw: st.DrawFn, name: str) -> Any:
    scales = draw(st.lists(st.sampled_from(SCALES), unique=True, max_size=2))
    return SurveyState(
        id=ident(name),
        version=1,
        organization_id=ident("s1"),
        mentorship_id=draw(st.sampled_from([None, ident("m1"), ident("m2")])),
        respondent_id=ident(draw(st.sampled_from(PEOPLE[:2]))),
        respondent_role=draw(st.sampled_from(ROLES)),
        questionnaire="any",
        questionnaire_version=1,
        stage=draw(st.sampled_from(STAGES)),
        date=draw(near),
        status=draw(_record_status),
        scores=tuple(
            Score(scale=s, value=draw(st.sampled_from([0, 300, 699, 700, 1000]))) for s in scales
        ),
    )


@st.composite
def assessments(draw: st.DrawFn, name: str) -> Any:
    kind: SubjectKind = draw(st.sampled_from(["mentee", "mentor", "organization"]))
    subjects = ("s1", "works") if kind == "organization" else PEOPLE[:2]
    return AssessmentState(
        id=ident(name),
        version=1,
        organization_id=ident("s1"),
        mentorship_id=None if kind == "organization" else draw(_named_pair),
        subject_kind=kind,
        subject_id=ident(draw(st.sampled_from(subjects))),
        domain=draw(st.sampled_from(DOMAINS)),
        instrument=draw(st.sampled_from(["one", "two"])),
        stage=draw(st.sampled_from(MOMENTS)),
        date=draw(near),
        value=draw(st.sampled_from([-250, 0, 99, 100, 450])),
        higher_is_better=draw(st.booleans()),
        status=draw(_record_status),
    )


@st.composite
def programmes(draw: st.DrawFn, name: str) -> Any:
    year = draw(st.sampled_from([2025, 2026]))
    planned = draw(st.lists(st.integers(0, 11), unique=True, max_size=3))
    documents = draw(st.lists(st.sampled_from(DOCUMENTS), unique=True))
    statuses: st.SearchStrategy[DocumentStatus] = st.sampled_from(
        ["approved", "approved", "approved", "draft"]
    )
    return ProgrammeState(
        id=ident(name),
        version=1,
        organization_id=ident(draw(st.sampled_from(SCHOOLS))),
        school_year=year,
        mechanisms=tuple(draw(st.lists(st.sampled_from(MECHANISMS), unique=True))),
        documents=tuple(
            ProgrammeDocument(kind=k, status=draw(statuses), date=date(year, 9, 1))
            for k in documents
        ),
        plan=tuple(PlannedMonth(month=_month(year, m), sessions=m + 1) for m in planned),
        curator_id=draw(st.sampled_from([None, ident("p1")])),
        methodical_materials=draw(st.booleans()),
    )


def _month(year: int, number: int) -> date:
    return date(year, 9 + number, 1) if number < 4 else date(year + 1, number - 3, 1)


@st.composite
def gatherings(draw: st.DrawFn, name: str) -> Any:
    return GatheringState(
        id=ident(name),
        version=1,
        organization_id=ident(draw(st.sampled_from(SCHOOLS))),
        status=draw(st.sampled_from(["held", "held", "cancelled", "voided"])),
        date=draw(near),
        duration_minutes=90,
        technology=draw(st.sampled_from([None, "project"])),
        audience=tuple(draw(st.lists(st.sampled_from(AUDIENCES), unique=True))),
    )


@st.composite
def contributions(draw: st.DrawFn, name: str) -> Any:
    return ContributionState(
        id=ident(name),
        version=1,
        organization_id=ident(draw(st.sampled_from(SCHOOLS))),
        partner_kind="organization",
        kind="money",
        kopecks=draw(st.sampled_from([0, 150, 1_000_000])),
        date=draw(near),
        status=draw(_record_status),
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
        (events.SURVEY, ("u1", "u2", "u3"), surveys),
        (events.ASSESSMENT, ("a1", "a2", "a3"), assessments),
        (events.PROGRAMME, ("g1",), programmes),
        (events.GATHERING, ("e1",), gatherings),
        (events.CONTRIBUTION, ("c1",), contributions),
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
