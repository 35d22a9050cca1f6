"""The people of one municipality: made on demand, always the same for a seed."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from nastavnik_local import sample_names as names
from nastavnik_local.sample_model import Municipality, Organization, Person, Region, Role

_MOVED = 0.01  # pupils who changed schools this year
_CIRCLES = 0.08  # pupils who also attend additional education
_SECOND_POST = 0.04  # teachers who also teach in additional education
_YOUNG = 0.16  # teachers with 0-3 years of experience
PARENTS = 4  # of a general school who speak for the others


def people(region: Region, place: Municipality) -> Iterator[Person]:
    """Everybody whose home is in the municipality, organisation by organisation."""
    rng = random.Random(f"{region.seed}:{region.scale.name}:{place.sid}:people")
    for organization in place.organizations:
        yield from _learners(region, place, organization, rng)
        yield from _teachers(region, place, organization, rng)
        yield from _representatives(region, organization, rng)
        yield from _parents(region, organization)


def _learners(
    region: Region, place: Municipality, home: Organization, rng: random.Random
) -> Iterator[Person]:
    year = region.calendar.year
    for number in range(home.learners):
        if home.kind == "general":
            grade = number % 11 + 1
            age, roles = grade + 6, _pupil_roles(region, place, home, rng)
        else:
            grade, age = 0, rng.randint(*((15, 19) if home.kind == "vocational" else (18, 23)))
            roles = (Role(home.sid, "student", begin=f"{year}-09-01"),)
        yield _person(f"{home.sid}-p{number + 1:04d}", year - age, roles, rng, grade=grade)


def _pupil_roles(
    region: Region, place: Municipality, home: Organization, rng: random.Random
) -> tuple[Role, ...]:
    """Home first; a few pupils came from another school, some attend a circle besides."""
    begin = f"{region.calendar.year}-09-01"
    if rng.random() < _MOVED:
        others = [o for o in place.organizations if o.kind == "general" and o != home]
        if others:
            day = _within(region.calendar.first, region.calendar.last, rng).isoformat()
            old = Role(rng.choice(others).sid, "student", begin=begin, end=day)
            if day > begin:
                return (Role(home.sid, "student", begin=day), old)
    centres = [o for o in place.organizations if o.kind == "additional"]
    if centres and rng.random() < _CIRCLES:
        circle = Role(rng.choice(centres).sid, "student", primary=False, begin=begin)
        return (Role(home.sid, "student", begin=begin), circle)
    return (Role(home.sid, "student", begin=begin),)


def _teachers(
    region: Region, place: Municipality, home: Organization, rng: random.Random
) -> Iterator[Person]:
    year = region.calendar.year
    centres = [o.sid for o in place.organizations if o.kind == "additional" and o != home]
    for number in range(home.teachers):
        young = rng.random() < _YOUNG
        years = rng.randint(0, 3) if young else rng.randint(4, 38)
        since = date(year - years, 9, 1)
        roles = [Role(home.sid, "teacher", begin=since.isoformat())]
        if centres and home.kind == "general" and rng.random() < _SECOND_POST:
            roles.append(Role(rng.choice(centres), "teacher", False, f"{year}-09-01"))
        born = year - years - rng.randint(22, 27)
        sid = f"{home.sid}-t{number + 1:04d}"
        yield _person(sid, born, tuple(roles), rng, teaching_since=since)


def _representatives(region: Region, home: Organization, rng: random.Random) -> Iterator[Person]:
    """Staff of partners. Every fourth once went to school here: an alumnus beside the job."""
    role = "ext:employer" if home.kind == "enterprise" else "ext:volunteer"
    for number in range(home.representatives):
        roles = [Role(home.sid, role)]
        if number % 4 == 3:
            roles.append(Role(f"{home.sid[:3]}-s001", "ext:alumnus", primary=False))
        born = region.calendar.year - rng.randint(24, 60)
        yield _person(f"{home.sid}-r{number + 1:04d}", born, tuple(roles), rng)


def _parents(region: Region, home: Organization) -> Iterator[Person]:
    rng = random.Random(f"{region.seed}:{region.scale.name}:{home.sid}:parents")
    for number in range(PARENTS if home.kind == "general" else 0):
        born = region.calendar.year - rng.randint(30, 52)
        roles = (Role(home.sid, "parent"),)
        yield _person(f"{home.sid}-g{number + 1:04d}", born, roles, rng)


def _person(
    sid: str,
    born: int,
    roles: tuple[Role, ...],
    rng: random.Random,
    *,
    grade: int = 0,
    teaching_since: date | None = None,
) -> Person:
    family, given, middle = names.person(rng)
    day = _within(date(born, 1, 1), date(born, 12, 31), rng)
    return Person(sid, family, given, middle, day, roles, grade, teaching_since)


def _within(first: date, last: date, rng: random.Random) -> date:
    return first + timedelta(days=rng.randint(0, (last - first).days))
