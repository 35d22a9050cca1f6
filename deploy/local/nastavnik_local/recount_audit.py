"""Demo's last word: is the log complete, and does the API say what a recount says?"""

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from nastavnik_common.clock import label
from nastavnik_local.recount import recount
from nastavnik_local.recount_compare import Difference, compare, served_figures
from nastavnik_local.recount_log import Log
from nastavnik_local.recount_read import read
from nastavnik_local.recount_time import last_whole_month
from nastavnik_local.sample import (
    Municipality,
    Region,
    assessments,
    contributions,
    gatherings,
    mentorships,
    people,
    programmes,
    sessions,
    surveys,
    trainings,
)
from nastavnik_local.scenario_api import Api

_PATIENCE = 90.0
_PAUSE = 1.0


class Counts(msgspec.Struct, frozen=True):
    """What the sample consists of, and what must therefore be in the log."""

    participants: int = 0
    trained: int = 0
    programmes: int = 0
    mentorships: int = 0
    ended: int = 0
    sessions: int = 0
    voided: int = 0
    surveys: int = 0
    surveys_voided: int = 0
    assessments: int = 0
    contributions: int = 0
    gatherings: int = 0


class Audit(msgspec.Struct, frozen=True):
    planned: Counts
    found: Counts
    records: int
    compared: int
    differences: list[Difference]

    @property
    def passed(self) -> bool:
        return self.planned == self.found and self.compared > 0 and not self.differences


async def audit(
    region: Region, api: Api, bootstrap: str, heard: Callable[[int], None] = lambda _: None
) -> Audit:
    """Recount from the log until it is complete and nothing differs, for a minute and a half.

    The events of the last request are on their way when it is answered; hence the patience. What
    still differs after it is a fault.
    """
    planned = await asyncio.to_thread(plan, region)
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    while True:
        found = await _once(region, planned, api, bootstrap, heard)
        if found.passed or asyncio.get_running_loop().time() > deadline:
            return found
        await asyncio.sleep(_PAUSE)


async def _once(
    region: Region, planned: Counts, api: Api, bootstrap: str, heard: Callable[[int], None]
) -> Audit:
    log = await read(bootstrap, heard)
    found = count(log)
    if found != planned:
        return Audit(planned, found, log.records, 0, [])
    year = region.calendar.year
    served, watermark = await served_figures(api.client("metrics"), log, label(year))
    due = last_whole_month(watermark, year)
    figures = await asyncio.to_thread(recount, log, year, plan_month=due)
    compared = len(figures.keys() & served.keys())
    return Audit(planned, found, log.records, compared, compare(figures, served, log))


def plan(region: Region) -> Counts:
    """Counted by going through the whole sample once more."""
    parts = [msgspec.structs.astuple(_plan(region, place)) for place in region.municipalities]
    return Counts(*map(sum, zip(*parts, strict=True)))


def _plan(region: Region, place: Municipality) -> Counts:
    work = list(mentorships(region, place))
    logged = [session for mentorship in work for session in sessions(region, mentorship)]
    answered = list(surveys(region, place, work))
    return Counts(
        participants=_length(people(region, place)),
        trained=_length(trainings(region, place, work)),
        programmes=_length(programmes(region, place, work)),
        mentorships=len(work),
        ended=sum(mentorship.ending is not None for mentorship in work),
        sessions=len(logged),
        voided=sum(session.fix == "voided" for session in logged),
        surveys=len(answered),
        surveys_voided=sum(survey.voided for survey in answered),
        assessments=_length(assessments(region, place, work)),
        contributions=_length(contributions(region, place)),
        gatherings=_length(gatherings(region, place)),
    )


def _length(items: Iterable[object]) -> int:
    return sum(1 for _ in items)


def count(log: Log) -> Counts:
    return Counts(
        participants=len(log.persons),
        trained=sum(bool(person.trainings) for person in log.persons.values()),
        programmes=len(log.programmes),
        mentorships=len(log.mentorships),
        ended=sum(bool(m.periods and m.periods[-1][1]) for m in log.mentorships.values()),
        sessions=len(log.sessions),
        voided=sum(session.status == "voided" for session in log.sessions.values()),
        surveys=len(log.surveys),
        surveys_voided=sum(survey.status == "voided" for survey in log.surveys.values()),
        assessments=len(log.assessments),
        contributions=len(log.contributions),
        gatherings=len(log.gatherings),
    )
