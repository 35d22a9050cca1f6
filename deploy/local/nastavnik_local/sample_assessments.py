"""Figures of mentees, mentors and schools before and after; and trajectories."""

import random
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial

import msgspec

from nastavnik_common.events.activity import Domain
from nastavnik_local.sample_model import Mentorship, Municipality, Organization, Region
from nastavnik_local.sample_records import Assessment
from nastavnik_local.sample_surveys import surveyed, twice_a_year


class _Instrument(msgspec.Struct, frozen=True):
    """Normal values before, a normal change until after, and how many are assessed with it."""

    domain: Domain
    code: str
    mean: float
    spread: float
    change: float
    varies: float
    share: float = 1.0
    digits: int = 2
    higher_is_better: bool = True
    least: float = 0.0
    most: float = 100.0


_MENTEES = (
    _Instrument("educational", "average_mark", 3.7, 0.45, 0.12, 0.24, most=5.0),
    _Instrument("personal", "self_regulation", 58, 12, 4.0, 8.0, digits=0),
    _Instrument(
        "sports", "run_60m", 11.2, 0.9, -0.15, 0.35, share=0.3, digits=1, higher_is_better=False
    ),
    _Instrument("cultural", "creative_works", 1.6, 1.0, 0.7, 1.0, share=0.3, digits=0),
)
_MENTORS = (_Instrument("personal", "mentoring_skills", 55, 14, 7.0, 9.0, share=0.6, digits=0),)
_SCHOOLS = (
    _Instrument("educational", "exam_average", 57, 6, 1.2, 2.2, digits=1),
    _Instrument("sports", "prizes", 4, 2, 1.0, 1.6, share=0.8, digits=0),
    _Instrument("cultural", "contest_prizes", 6, 3, 1.3, 2.0, share=0.8, digits=0),
)
_BEFORE_ONLY = 0.4  # of the mentees who are assessed and whose mentorship goes on
_ROUTED, _ROUTE_READY = 0.5, 0.85
_CAREERS = 0.25  # of the other mentorships, that draw up trajectories without assessing anything
_CORRECTED = 0.006


def assessments(
    region: Region, place: Municipality, work: Sequence[Mentorship]
) -> Iterator[Assessment]:
    """All of the municipality; keys are stable for a seed."""
    for mentorship in work:
        if days := surveyed(region, mentorship):
            yield from _of_mentorship(region, mentorship, *days)
        elif mentorship.since:
            yield from _routes(region, mentorship)
    for organization in place.organizations:
        if days := twice_a_year(region, organization):
            yield from _of_school(region, organization, *days)


def _of_mentorship(
    region: Region, mentorship: Mentorship, entry: date, end: date | None
) -> Iterator[Assessment]:
    rng = _rng(region, mentorship.key)
    for sid, role in mentorship.members:
        about = partial(Assessment, mentorship=mentorship.key, subject=sid)
        key = f"{mentorship.key}:{sid}"
        if role == "mentor" and end:
            about = partial(about, subject_kind="mentor")
            yield from _measured(key, _MENTORS, entry, end, about, rng)
        elif role == "mentee":
            about = partial(about, subject_kind="mentee")
            if end or rng.random() < _BEFORE_ONLY:
                yield from _measured(key, _MENTEES, entry, end, about, rng)
            if rng.random() < _ROUTED:
                yield _route(key, end or region.calendar.last, about, rng)


def _routes(region: Region, mentorship: Mentorship) -> Iterator[Assessment]:
    rng = _rng(region, mentorship.key)
    if rng.random() < _CAREERS:
        about = partial(Assessment, mentorship=mentorship.key, subject_kind="mentee")
        for sid in (sid for sid, role in mentorship.members if role == "mentee"):
            key = f"{mentorship.key}:{sid}"
            yield _route(key, region.calendar.last, partial(about, subject=sid), rng)


def _of_school(
    region: Region, school: Organization, entry: date, end: date
) -> Iterator[Assessment]:
    about = partial(Assessment, org=school.sid, subject=school.sid, subject_kind="organization")
    yield from _measured(school.sid, _SCHOOLS, entry, end, about, _rng(region, school.sid))


def _measured(
    key: str,
    instruments: Sequence[_Instrument],
    entry: date,
    end: date | None,
    about: "partial[Assessment]",
    rng: random.Random,
) -> Iterator[Assessment]:
    for by in instruments:
        if rng.random() >= by.share:
            continue
        one = partial(
            about, domain=by.domain, instrument=by.code, higher_is_better=by.higher_is_better
        )
        before = rng.gauss(by.mean, by.spread)
        name = f"{key}:{by.code}"
        yield one(key=f"{name}:before", stage="before", on=entry, value=_text(before, by))
        if end:
            after = before + rng.gauss(by.change, by.varies)
            right = _text(after + by.varies, by) if rng.random() < _CORRECTED else None
            value = _text(after, by)
            yield one(key=f"{name}:after", stage="after", on=end, value=value, corrected=right)


def _route(key: str, on: date, about: "partial[Assessment]", rng: random.Random) -> Assessment:
    """Whether the mentee has an educational or career trajectory of their own: 1 or 0."""
    return about(
        key=f"{key}:route",
        domain="trajectory",
        instrument="individual_route",
        stage="after",
        on=on,
        value="1" if rng.random() < _ROUTE_READY else "0",
    )


def _text(value: float, by: _Instrument) -> str:
    return f"{min(by.most, max(by.least, value)):.{by.digits}f}"


def _rng(region: Region, key: str) -> random.Random:
    return random.Random(f"{region.seed}:{region.scale.name}:{key}:assessments")
