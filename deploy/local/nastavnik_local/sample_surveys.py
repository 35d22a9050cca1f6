"""Who answered which questionnaire: entry and exit, of mentorships and of whole schools."""

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial

from nastavnik_activity.domain.questionnaires import shipped
from nastavnik_common.events.activity import SurveyStage
from nastavnik_local.sample_model import Mentorship, Municipality, Organization, Region
from nastavnik_local.sample_people import PARENTS
from nastavnik_local.sample_records import Survey

_ASKED = 0.14  # of the mentorships that go on; all that were completed are asked
_ANSWER = 0.88  # of those asked
_SCHOOLS = 0.5  # that ask their teachers and parents twice a year
_TEACHERS = 0.7  # of such a school, that are asked
_VOIDED = 0.004
_VERSION = 1
# Where people stand at first, 0…1, and how far they have come at exit.
_LEVEL = {"motivation": 0.6, "satisfaction": 0.76, "climate": 0.62, "environment": 0.68}
_GAIN = 0.07

Asked = Sequence[tuple[str, SurveyStage, date]]  # questionnaire, stage, day


def surveyed(region: Region, mentorship: Mentorship) -> tuple[date, date | None] | None:
    """The days of its surveys and assessments at entry and, if it was completed, at exit; None
    if it has none."""
    if mentorship.since is None:
        return None
    rng = random.Random(_seed(region, mentorship.key, "surveyed"))
    ending = mentorship.ending
    entry = mentorship.since + timedelta(days=rng.randint(0, 10))
    if ending is not None and ending.action == "complete":
        return entry, max(entry, ending.on - timedelta(days=rng.randint(0, 3)))
    until = ending.on if ending else region.calendar.last
    return (min(entry, until), None) if rng.random() < _ASKED else None


def twice_a_year(region: Region, school: Organization) -> tuple[date, date] | None:
    """When a school asks and measures for the first and the second time; None if it does not."""
    rng = random.Random(_seed(region, school.sid, "twice"))
    if school.kind != "general" or rng.random() >= _SCHOOLS:
        return None
    first, last = region.calendar.first, region.calendar.last
    days = (last - first).days
    entry = first + timedelta(days=rng.randint(0, min(40, days // 3)))
    return entry, last - timedelta(days=rng.randint(0, min(20, days // 3)))


def surveys(region: Region, place: Municipality, work: Sequence[Mentorship]) -> Iterator[Survey]:
    """All of the municipality; keys are stable for a seed."""
    for mentorship in work:
        if days := surveyed(region, mentorship):
            yield from _of_mentorship(region, mentorship, *days)
    for organization in place.organizations:
        if days := twice_a_year(region, organization):
            yield from _of_school(region, organization, *days)


def _of_mentorship(
    region: Region, mentorship: Mentorship, entry: date, end: date | None
) -> Iterator[Survey]:
    """Motivation of all; climate and satisfaction besides, where it has come to its end."""
    rng = random.Random(_seed(region, mentorship.key, "surveys"))
    asked: list[tuple[str, SurveyStage, date]] = [("motivation", "entry", entry)]
    if end:
        asked += [("climate", "entry", entry), ("motivation", "exit", end)]
        asked += [("climate", "exit", end), ("satisfaction", "exit", end)]
    about = partial(Survey, mentorship=mentorship.key)
    for sid, role in mentorship.members:
        if role != "curator":
            yield from _answered(f"{mentorship.key}:{sid}", sid, asked, about, rng)


def _of_school(region: Region, school: Organization, entry: date, end: date) -> Iterator[Survey]:
    rng = random.Random(_seed(region, school.sid, "surveys"))
    climate: Asked = [("climate", "entry", entry), ("climate", "exit", end)]
    environment: Asked = [("environment", "entry", entry), ("environment", "exit", end)]
    for number in range(1, school.teachers + 1):
        if rng.random() < _TEACHERS:
            sid = f"{school.sid}-t{number:04d}"
            about = partial(Survey, org=school.sid, role="teacher")
            yield from _answered(sid, sid, [*climate, *environment], about, rng)
    for number in range(1, PARENTS + 1):
        sid = f"{school.sid}-g{number:04d}"
        about = partial(Survey, org=school.sid, role="parent")
        yield from _answered(sid, sid, climate, about, rng)


def _answered(
    key: str, sid: str, asked: Asked, about: "partial[Survey]", rng: random.Random
) -> Iterator[Survey]:
    """One person's responses: who liked it at entry likes it at exit, rather a little more."""
    nature, gain = rng.gauss(0.0, 0.14), rng.gauss(_GAIN, 0.09)
    for code, stage, on in asked:
        if rng.random() < _ANSWER:
            level = _LEVEL[code] + nature + (gain if stage == "exit" else 0.0)
            yield about(
                key=f"{key}:{code}:{stage}",
                respondent=sid,
                questionnaire=code,
                version=_VERSION,
                stage=stage,
                on=on,
                answers=tuple(_answers(code, level, rng)),
                voided=rng.random() < _VOIDED,
            )


def _answers(code: str, level: float, rng: random.Random) -> Iterator[tuple[str, int]]:
    """Every item of the questionnaire, by a level of 0…1."""
    for item in shipped()[code, _VERSION].items:
        span = item.max - item.min
        value = round(span * min(1.0, max(0.0, level + rng.gauss(0.0, 0.09))))
        yield item.code, item.max - value if item.reversed else item.min + value


def _seed(region: Region, *what: str) -> str:
    return ":".join((str(region.seed), region.scale.name, *what))
