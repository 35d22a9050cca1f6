"""Who works with whom: the mentorships of one municipality, in all forms."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from nastavnik_local.sample_groups import Company, Group, pupil_groups, staff_groups, student_groups
from nastavnik_local.sample_model import Calendar, Ending, Mentorship, Municipality, Person, Region
from nastavnik_local.sample_people import people

LOCAL_FORM = {
    "code": "leader_teacher",
    "name": "Руководитель — педагог",
    "federal_form": "teacher_teacher",
}
_DRAFTS = 0.02
_ENDINGS = (
    ("pause", 0.02, "schedule"),
    ("complete", 0.06, None),
    ("terminate", 0.08, "moved_away"),
)
_TAKES_PART = 0.75  # of enterprises


def mentorships(region: Region, place: Municipality) -> Iterator[Mentorship]:
    """All mentorships of the municipality; keys are stable for a seed."""
    rng = random.Random(f"{region.seed}:{region.scale.name}:{place.sid}:activity")
    company = _company(region, place, rng)
    for organization in place.organizations:
        folk = company.at(organization.sid)
        if organization.kind == "general":
            groups = pupil_groups(folk, place.students, region.scale, company, rng)
            staff = staff_groups(folk, place.staff, rng)
        else:
            groups, staff = student_groups(organization.kind, folk, region.scale, company, rng), []
        for number, group in enumerate([*groups, *staff]):
            yield _mentorship(
                f"{organization.sid}-{number:04d}", organization.sid, group, region, rng
            )


def _company(region: Region, place: Municipality, rng: random.Random) -> Company:
    """The people by organisation, and the partners ready to be mentors."""
    homes: dict[str, list[Person]] = {org.sid: [] for org in place.organizations}
    for person in people(region, place):
        homes[person.roles[0].org].append(person)
    employers: list[str] = []
    students: list[str] = []
    for org in place.organizations:
        sids = [person.sid for person in homes[org.sid] if person.teaching_since is None]
        if org.kind == "enterprise" and rng.random() < _TAKES_PART:
            employers += sids
        elif org.kind == "higher":
            students += sids
        elif org.kind == "vocational":
            students += sids[: len(sids) // 5]
    return Company(homes, employers, students)


def _mentorship(key: str, org: str, group: Group, region: Region, rng: random.Random) -> Mentorship:
    since, ending = None, None
    if rng.random() >= _DRAFTS:
        since = _begin(region.calendar, rng)
        ending = _ending(since, region.calendar.last, rng)
    return Mentorship(key, org, group.form, group.members, since, rng.choice((2, 2, 4)), ending)


def _begin(calendar: Calendar, rng: random.Random) -> date:
    window = (calendar.last - calendar.first).days
    return calendar.first + timedelta(days=rng.randint(0, min(20, window // 4)))


def _ending(since: date, last: date, rng: random.Random) -> Ending | None:
    chance, days = rng.random(), (last - since).days
    if days < 21:
        return None
    for action, bound, reason in _ENDINGS:
        if chance < bound:
            on = since + timedelta(days=rng.randint(days * 2 // 3, days))
            return Ending(action, on, reason)  # type: ignore[arg-type]  # a literal of the table
    return None
