"""The book the recount is kept in: lines, each an amount of one organisation in one slice."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nastavnik_local.recount_log import Log, Mentorship

ALL = "all"
FEDERAL_FORMS = (
    "student_student",
    "teacher_teacher",
    "university_student_pupil",
    "employer_pupil",
    "employer_student",
)

# Parts of a figure.
NUMERATOR = "numerator"
DENOMINATOR = "denominator"
COUNT, SUM, SQUARES = "change count", "change sum", "change squares"


class Line(NamedTuple):
    """So much goes into this part of this indicator, in this slice, at this organisation."""

    indicator: str
    part: str
    slice: str
    organization: str
    amount: int = 1


def forms_of(mentorship: Mentorship) -> set[str]:
    """A mentorship counts in `all`, in its federal form, and in its own form."""
    return {ALL, mentorship.federal_form, mentorship.form}


def forms_named(log: Log, mentorship: str | None) -> set[str]:
    """A survey or assessment counts in `all`, and in the forms of the mentorship it names."""
    found = log.mentorships.get(mentorship) if mentorship else None
    return forms_of(found) if found else {ALL}


def kinds_of_work(technology: str | None, audience: Iterable[str]) -> set[str]:
    """The slices of a held session or gathering besides the forms."""
    found = {f"audience:{code}" for code in audience}
    if technology:
        found.add(f"technology:{technology}")
    return found


def slices(log: Log) -> list[str]:
    """All together, the federal forms, the region's own, and technologies and audiences seen."""
    own = {mentorship.form for mentorship in log.mentorships.values()} - set(FEDERAL_FORMS)
    work: set[str] = set()
    for session in log.sessions.values():
        if session.status == "held":
            work |= kinds_of_work(session.technology, session.audience)
    for gathering in log.gatherings.values():
        if gathering.status == "held":
            work |= kinds_of_work(gathering.technology, gathering.audience)
    return [ALL, *FEDERAL_FORMS, *sorted(own), *sorted(work)]


def change_lines(indicator: str, slice_: str, organization: str, change: int) -> Iterator[Line]:
    """One paired change, in hundredths: how many, their sum, the sum of their squares."""
    yield Line(indicator, COUNT, slice_, organization, 1)
    yield Line(indicator, SUM, slice_, organization, change)
    yield Line(indicator, SQUARES, slice_, organization, change * change)
