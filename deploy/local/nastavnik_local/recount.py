"""The coverage indicators counted a second time, from the latest states in the log, by brute force.

For an auditor: this file holds the whole calculation and shares no code with the metrics service.
It goes person by person and organisation by organisation, in the words of the counting rules:

- the population of a school year are the persons whose primary membership contains 31 May;
- a person is engaged in a form and a role when they attended at least one held session of the
  school year, of a mentorship that was active in it and of which they are a member in that role;
- a unit's figure is the sum over the organisations that stand under it on 31 May.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from nastavnik_local.recount_log import Log, Organization, Person

FEDERAL_FORMS = (
    "student_student",
    "teacher_teacher",
    "university_student_pupil",
    "employer_pupil",
    "employer_student",
)
INDICATORS = (
    "coverage.students",
    "coverage.staff",
    "coverage.pooled",
    "coverage.mentees_10_19",
    "coverage.mentors_15_19",
    "coverage.young_specialists",
    "coverage.enterprises",
)

Cell = tuple[str, str, str]  # indicator, form, unit
Figures = dict[Cell, tuple[int, int]]  # numerator, denominator
Engaged = dict[str, set[tuple[str, str]]]  # person → (form, role)
Homes = dict[str, tuple[str, str]]  # person → (organisation, kind of membership)


def recount(log: Log, year: int) -> Figures:
    """Every indicator for every form and every unit that stands in the tree or is its root."""
    census = date(year + 1, 5, 31)
    homes = population(log, census)
    engaged = engagement(log, year)
    numerators: dict[Cell, int] = defaultdict(int)
    denominators: dict[Cell, int] = defaultdict(int)
    every_form = forms(log)
    above = {unit: list(ancestors(log, unit, census)) for unit in log.organizations}
    for indicator, organization, counted in _claims(log, year, census, homes, engaged):
        for unit in (organization, *above[organization]):
            for form in every_form:
                denominators[indicator, form, unit] += 1
                numerators[indicator, form, unit] += form in counted
    every = ((i, f, u) for i in INDICATORS for f in every_form for u in log.organizations)
    return {cell: (numerators[cell], denominators[cell]) for cell in every}


def forms(log: Log) -> list[str]:
    """All together, the five federal forms, and the region's own that are in use."""
    own = {mentorship.form for mentorship in log.mentorships.values()} - set(FEDERAL_FORMS)
    return ["all", *FEDERAL_FORMS, *sorted(own)]


def population(log: Log, census: date) -> Homes:
    """Who is counted, and where: the primary membership that contains the census date."""
    found: Homes = {}
    for ident, person in log.persons.items():
        for membership in person.memberships:
            if membership.primary and _contains(membership.since, membership.until, census):
                found[ident] = (membership.organization, membership.kind)
    return found


def engagement(log: Log, year: int) -> Engaged:
    """Who took part, in which forms and roles."""
    first, after = date(year, 9, 1), date(year + 1, 9, 1)
    found: Engaged = defaultdict(set)
    for session in log.sessions.values():
        mentorship = log.mentorships.get(session.mentorship)
        if mentorship is None or session.status != "held" or not first <= session.day < after:
            continue
        if not any(_overlap(since, until, first, after) for since, until in mentorship.periods):
            continue
        for person in session.attended:
            role = mentorship.members.get(person)
            if role is not None:
                for form in ("all", mentorship.federal_form, mentorship.form):
                    found[person].add((form, role))
    return found


def ancestors(log: Log, unit: str, census: date) -> Iterator[str]:
    """The units above, nearest first, as placed on the census date."""
    seen = {unit}
    while True:
        organization = log.organizations.get(unit)
        parent = organization and parent_of(organization, census)
        if not parent or parent in seen:
            return
        yield parent
        seen.add(parent)
        unit = parent


def parent_of(organization: Organization, census: date) -> str | None:
    for placement in organization.placements:
        if _contains(placement.since, placement.until, census):
            return placement.parent
    return None


def _claims(
    log: Log, year: int, census: date, homes: Homes, engaged: Engaged
) -> Iterator[tuple[str, str, set[str]]]:
    """(indicator, organisation, forms in which it counts): one for each one in a denominator."""
    mentors_at: dict[str, set[str]] = defaultdict(set)
    for ident, (home, kind) in homes.items():
        took_part = engaged.get(ident, set())
        mentors_at[home] |= {form for form, role in took_part if role == "mentor"}
        organization = log.organizations.get(home)
        if organization is None:
            continue
        for indicator, roles in _denominators(log.persons[ident], kind, organization, year):
            yield indicator, home, {form for form, role in took_part if role in roles}
    for ident, organization in log.organizations.items():
        if organization.kind == "enterprise" and parent_of(organization, census):
            yield "coverage.enterprises", ident, mentors_at[ident]


def _denominators(
    person: Person, kind: str, home: Organization, year: int
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The indicators whose denominator holds the person, with the roles that count for each."""
    either = ("mentor", "mentee")
    if home.kind == "general" and kind in ("student", "teacher"):
        yield "coverage.students" if kind == "student" else "coverage.staff", either
        yield "coverage.pooled", either
    if person.birth_year is not None:
        age = year - person.birth_year
        if 10 <= age <= 19:
            yield "coverage.mentees_10_19", ("mentee",)
        if 15 <= age <= 19:
            yield "coverage.mentors_15_19", ("mentor",)
    if kind == "teacher" and person.teaching_since_year is not None:
        experience = year - person.teaching_since_year
        if 0 <= experience <= 3:
            yield "coverage.young_specialists", ("mentee",)


def _contains(since: date | None, until: date | None, day: date) -> bool:
    return (since is None or since <= day) and (until is None or day < until)


def _overlap(since: date, until: date | None, first: date, after: date) -> bool:
    return since < after and (until is None or until > first) and (until is None or since < until)
