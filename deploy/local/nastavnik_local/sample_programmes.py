"""Programmes of the organisations, official headcounts, and mentors who were trained."""

import random
from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from nastavnik_common.events.registry import DocumentKind, DocumentStatus, Mechanism
from nastavnik_local.sample_model import Calendar, Mentorship, Municipality, Organization, Region
from nastavnik_local.sample_records import Document, Headcount, Programme, Training

_WITH_PROGRAMME = ("general", "vocational", "higher")
_MECHANISMS: tuple[tuple[Mechanism, float], ...] = (
    ("formalisation", 0.97),
    ("planning", 0.92),
    ("forms", 0.95),
    ("resources", 0.7),
    ("support", 0.62),
)
_DOCUMENTS: tuple[tuple[DocumentKind, float], ...] = (
    ("order", 0.99),
    ("regulation", 0.96),
    ("roadmap", 0.93),
    ("curator_appointment", 0.95),
    ("pairs_order", 0.9),
    ("personal_programmes", 0.55),
)
_DRAFT = 0.5  # of the documents that are not approved; the others are missing
_CURATOR, _MATERIALS = 0.93, 0.8
_MONTHS = (9, 10, 11, 12, 1, 2, 3, 4, 5)
_AS_REPORTED = 0.75  # headcounts that equal the registry's
_TRAINED = (0.86, 0.4)  # of the mentors who are teachers, and of the others …
_TRAINED_AT_MOST = 120  # … in a municipality


def programmes(
    region: Region, place: Municipality, work: Iterable[Mentorship]
) -> Iterator[Programme]:
    """One for each organisation that teaches; `work` are the mentorships of the municipality."""
    forms: dict[str, Counter[str]] = {}
    for mentorship in work:
        if mentorship.since:
            forms.setdefault(mentorship.org, Counter())[mentorship.form] += 1
    for organization in place.organizations:
        if organization.kind in _WITH_PROGRAMME:
            yield _programme(region, organization, forms.get(organization.sid, Counter()))


def _programme(region: Region, organization: Organization, forms: Counter[str]) -> Programme:
    rng = _rng(region, organization.sid, "programme")
    materials = rng.random() < _MATERIALS
    curator = f"{organization.sid}-t{rng.randint(1, organization.teachers):04d}"
    appointed = rng.random() < _CURATOR
    mechanisms = tuple(code for code, chance in _MECHANISMS if rng.random() < chance)
    return Programme(
        org=organization.sid,
        mechanisms=mechanisms,
        documents=tuple(_documents(region.calendar, rng)),
        forms=tuple(sorted(forms.items())),
        plan=tuple(_plan(region, forms.total(), rng)),
        curator=curator if appointed else None,
        methodical_materials=materials,
        material_base="resources" in mechanisms,
        staffed=appointed,
        psychological_support="support" in mechanisms,
    )


def _documents(calendar: Calendar, rng: random.Random) -> Iterator[Document]:
    for kind, approved in _DOCUMENTS:
        chance = rng.random()
        status: DocumentStatus = "approved" if chance < approved else "draft"
        on = calendar.first + timedelta(days=rng.randint(0, 12))
        number = f"{rng.randint(1, 400)}-о"
        if chance < approved + (1 - approved) * _DRAFT:
            yield Document(kind, number, on, status)


def _plan(region: Region, formed: int, rng: random.Random) -> Iterator[tuple[date, int]]:
    """As many sessions by the month as the mentorships will roughly hold, or wish they would."""
    calendar = region.calendar
    since = calendar.first + timedelta(days=7)  # most have begun by then
    days = (calendar.last - since).days + 1
    daily = formed * sum(region.scale.sessions) / 2 / days * rng.uniform(0.82, 1.08)
    for month in _MONTHS:
        first = date(calendar.year + (month < 9), month, 1)
        length = monthrange(first.year, month)[1]
        due = length - (max(first, since) - first).days
        yield first, round(daily * due)


def headcounts(region: Region, place: Municipality) -> Iterator[Headcount]:
    """Of every general school, some at odds with the registry, and their sums."""
    yield from _schools(region, place)
    yield from _sums(place.sid, _schools(region, place))


def headcounts_of_region(region: Region, sid: str) -> Iterator[Headcount]:
    every = (count for place in region.municipalities for count in _schools(region, place))
    yield from _sums(sid, every)


def _schools(region: Region, place: Municipality) -> Iterator[Headcount]:
    as_of = min(date(region.calendar.year, 9, 20), region.calendar.last)
    for organization in place.organizations:
        if organization.kind == "general":
            rng = _rng(region, organization.sid, "headcount")
            yield Headcount(organization.sid, "students", _near(organization.learners, rng), as_of)
            yield Headcount(organization.sid, "staff", _near(organization.teachers, rng), as_of)


def _near(count: int, rng: random.Random) -> int:
    if rng.random() < _AS_REPORTED:
        return count
    return max(1, count + rng.choice((-1, 1)) * rng.randint(1, max(1, count // 40)))


def _sums(unit: str, counts: Iterable[Headcount]) -> Iterator[Headcount]:
    found = list(counts)
    for population in ("students", "staff"):
        parts = [count for count in found if count.population == population]
        total = sum(count.headcount for count in parts)
        yield Headcount(unit, parts[0].population, total, parts[0].as_of)


def trainings(
    region: Region, place: Municipality, work: Sequence[Mentorship]
) -> Iterator[Training]:
    """Mentors, teachers first, as far as the courses had room."""
    rng = _rng(region, place.sid, "trainings")
    mentors = {sid for m in work for sid, role in m.members if role == "mentor"}
    chosen = [
        sid
        for sid in sorted(mentors, key=lambda sid: (not is_teacher(sid), sid))
        if rng.random() < _TRAINED[not is_teacher(sid)]
    ]
    for sid in chosen[:_TRAINED_AT_MOST]:
        yield Training(sid, region.calendar.first - timedelta(days=rng.randint(5, 400)))


def is_teacher(sid: str) -> bool:
    return sid.rpartition("-")[2].startswith("t")


def _rng(region: Region, *what: str) -> random.Random:
    return random.Random(":".join((str(region.seed), region.scale.name, *what)))
