"""What partners gave to the programmes, and what the organisations held for everybody."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from nastavnik_common.events.activity import Audience, PartnerKind, ResourceKind, Technology
from nastavnik_local.sample_model import Municipality, Organization, Region
from nastavnik_local.sample_people import PARENTS
from nastavnik_local.sample_records import Contribution, Gathering

_PARTNERS = ("enterprise", "ngo")
_HOSTS = ("general", "vocational", "higher", "additional")
_WORTH: tuple[tuple[ResourceKind, int, int], ...] = (  # roubles, at least and at most
    ("money", 10_000, 300_000),
    ("equipment", 20_000, 450_000),
    ("premises", 5_000, 60_000),
    ("expertise", 3_000, 40_000),
    ("other", 1_000, 25_000),
)
_PRIVATE: tuple[PartnerKind, ...] = ("alumnus", "parent", "individual")
_GIVEN = 0.4  # of the schools, a private gift each
_EVENTS: tuple[tuple[Technology, tuple[Audience, ...], int], ...] = (
    ("information", ("mentors", "mentees", "parents", "staff"), 60),
    ("training_course", ("mentors",), 180),
    ("workshop", ("mentors", "staff"), 120),
    ("talk", ("parents",), 60),
    ("project", ("external", "mentees"), 240),
    ("interactive", ("mentors", "mentees", "external"), 90),
)
_CANCELLED = 0.07


def contributions(region: Region, place: Municipality) -> Iterator[Contribution]:
    """Of the partners of the municipality to its schools; keys are stable for a seed."""
    rng = _rng(region, place.sid, "contributions")
    schools = [org for org in place.organizations if org.kind == "general"]
    for partner in place.organizations:
        if partner.kind in _PARTNERS:
            for number in range(rng.randint(1, 3)):
                to = rng.choice(schools).sid
                key = f"{partner.sid}:{number}"
                yield _contribution(region, key, to, ("organization", partner.sid), rng)
    for school in schools:
        if rng.random() < _GIVEN:
            kind = rng.choice(_PRIVATE)
            who = f"{school.sid}-g{rng.randint(1, PARENTS):04d}" if kind == "parent" else None
            yield _contribution(region, f"{school.sid}:gift", school.sid, (kind, who), rng)


def _contribution(
    region: Region,
    key: str,
    org: str,
    given: tuple[PartnerKind, str | None],
    rng: random.Random,
) -> Contribution:
    kind, least, most = rng.choice(_WORTH)
    amount = f"{rng.randint(least, most)}.{rng.choice((0, 0, 50, 75)):02d}"
    partner_kind, partner = given
    return Contribution(
        key=key,
        org=org,
        partner_kind=partner_kind,
        partner=partner,
        kind=kind,
        amount=amount,
        on=_day(region, rng),
    )


def gatherings(region: Region, place: Municipality) -> Iterator[Gathering]:
    for organization in place.organizations:
        if organization.kind in _HOSTS:
            yield from _of_host(region, organization)


def _of_host(region: Region, host: Organization) -> Iterator[Gathering]:
    rng = _rng(region, host.sid, "gatherings")
    for number, event in enumerate(rng.sample(_EVENTS, rng.randint(2, 4))):
        technology, audience, minutes = event
        held = rng.random() >= _CANCELLED
        yield Gathering(
            key=f"{host.sid}:{number}",
            org=host.sid,
            held=held,
            on=_day(region, rng),
            minutes=minutes,
            technology=technology,
            audience=audience,
            attendees=rng.randint(12, 140) if held else 0,
        )


def _day(region: Region, rng: random.Random) -> date:
    first, last = region.calendar.first, region.calendar.last
    return first + timedelta(days=rng.randint(0, (last - first).days))


def _rng(region: Region, *what: str) -> random.Random:
    return random.Random(":".join((str(region.seed), region.scale.name, *what)))
