"""Persons: who is counted and where, who was engaged, trained, has a trajectory.

- the population of a school year are the persons whose primary membership contains 31 May; that
  membership's organisation is home, its kind the person's kind; a person counts at home, once;
- a person is engaged in a slice and roles when they attended at least one held session, in the
  year up to the end of the month, of a mentorship of the slice that was active on at least one day
  of the year and of which they are a member in such a role.
"""

from collections import defaultdict
from collections.abc import Iterator

from nastavnik_local.recount_ledger import ALL, DENOMINATOR, NUMERATOR, Line, forms_of
from nastavnik_local.recount_log import Log, Organization, Person
from nastavnik_local.recount_time import Time, active_days, contains
from nastavnik_local.recount_tree import parent_of

Homes = dict[str, tuple[str, str]]  # person → (organisation, kind of membership)
Engaged = dict[str, set[tuple[str, str]]]  # person → (form, role)

COMMUNITY = ("alumnus", "parent", "employer_representative")


def population(log: Log, time: Time) -> Homes:
    """Who is counted, and where."""
    found: Homes = {}
    for ident, person in log.persons.items():
        for membership in person.memberships:
            if membership.primary and contains(membership.since, membership.until, time.census):
                found[ident] = (membership.organization, membership.kind)
    return found


def engagement(log: Log, time: Time) -> Engaged:
    """Who took part, in which forms and roles. Curators are a role of their own."""
    active = {
        ident
        for ident, mentorship in log.mentorships.items()
        if active_days(mentorship.periods, time.first, time.end)
    }
    found: Engaged = defaultdict(set)
    for session in log.sessions.values():
        if session.status != "held" or not time.counts(session.day):
            continue
        if session.mentorship not in active:
            continue
        mentorship = log.mentorships[session.mentorship]
        forms = forms_of(mentorship)
        for person in session.attended:
            role = mentorship.members.get(person)
            if role is not None:
                for form in forms:
                    found[person].add((form, role))
    return found


def trained(person: Person, time: Time) -> bool:
    """A training for the role mentor was completed not later than the end of the month."""
    return any(role == "mentor" and done < time.cut for role, done in person.trainings)


def with_trajectory(log: Log, time: Time) -> set[str]:
    """Persons with a valid assessment in the domain `trajectory`, with a value of 1.00 or more,
    dated not later than the end of the month."""
    found = set()
    for assessment in log.assessments.values():
        if assessment.status != "valid" or assessment.subject_kind == "organization":
            continue
        if assessment.domain != "trajectory" or assessment.value < 100:
            continue
        if assessment.day < time.cut:
            found.add(assessment.subject)
    return found


def lines(log: Log, time: Time, homes: Homes) -> Iterator[Line]:
    """Everything that is a share of persons, or a number of them."""
    engaged = engagement(log, time)
    drawn_up = with_trajectory(log, time)
    for ident, (home, kind) in homes.items():
        organization = log.organizations.get(home)
        if organization is None:
            continue
        took_part = engaged.get(ident, set())
        person = log.persons[ident]
        for indicator, roles in _covered(person, kind, organization, time.year):
            yield Line(indicator, DENOMINATOR, ALL, home)
            for form in _forms(took_part, *roles):
                yield Line(indicator, NUMERATOR, form, home)
        if took_part:
            yield from _mentors(person, home, _forms(took_part, "mentor"), time)
            yield from _mentees(home, _forms(took_part, "mentee"), ident in drawn_up)
        if kind in COMMUNITY:
            for form in _forms(took_part, "mentor", "mentee", "curator"):
                yield Line("results.community", NUMERATOR, form, home)
    yield from _enterprises(log, time, homes, engaged)


def _forms(took_part: set[tuple[str, str]], *roles: str) -> set[str]:
    return {form for form, role in took_part if role in roles}


def _covered(
    person: Person, kind: str, home: Organization, year: int
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The coverage indicators whose denominator holds the person, with the roles that count."""
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


def _mentors(person: Person, home: str, forms: set[str], time: Time) -> Iterator[Line]:
    """Engaged mentors; those of them who are trained."""
    ready = trained(person, time)
    for form in forms:
        yield Line("methodical.load", DENOMINATOR, form, home)
        yield Line("methodical.mentors_trained", DENOMINATOR, form, home)
        if ready:
            yield Line("methodical.mentors_trained", NUMERATOR, form, home)


def _mentees(home: str, forms: set[str], drawn_up: bool) -> Iterator[Line]:
    """Engaged mentees; those of them who have a trajectory."""
    for form in forms:
        yield Line("methodical.load", NUMERATOR, form, home)
        yield Line("results.trajectories", DENOMINATOR, form, home)
        if drawn_up:
            yield Line("results.trajectories", NUMERATOR, form, home)


def _enterprises(log: Log, time: Time, homes: Homes, engaged: Engaged) -> Iterator[Line]:
    """Enterprises that stand in the tree; those that are home to an engaged mentor."""
    mentors_at: dict[str, set[str]] = defaultdict(set)
    for ident, (home, _) in homes.items():
        mentors_at[home] |= _forms(engaged.get(ident, set()), "mentor")
    for ident, organization in log.organizations.items():
        if organization.kind == "enterprise" and parent_of(organization, time.census):
            yield Line("coverage.enterprises", DENOMINATOR, ALL, ident)
            for form in mentors_at[ident]:
                yield Line("coverage.enterprises", NUMERATOR, form, ident)
