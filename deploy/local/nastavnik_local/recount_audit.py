"""Demo's last word: is the log complete, and does the API say what a recount says?"""

import asyncio
from collections.abc import Callable

import msgspec

from nastavnik_common.clock import label
from nastavnik_local.recount import recount
from nastavnik_local.recount_compare import Difference, compare, served_figures
from nastavnik_local.recount_log import Log
from nastavnik_local.recount_read import read
from nastavnik_local.recount_time import last_whole_month
from nastavnik_local.sample import Region, mentorships, people, sessions
from nastavnik_local.scenario_api import Api

_PATIENCE = 90.0
_PAUSE = 1.0


class Counts(msgspec.Struct, frozen=True):
    """What the sample consists of, and what must therefore be in the log."""

    participants: int
    mentorships: int
    ended: int
    sessions: int
    voided: int


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
    folk = sum(1 for place in region.municipalities for _ in people(region, place))
    formed = ended = logged = voided = 0
    for place in region.municipalities:
        for mentorship in mentorships(region, place):
            formed += 1
            ended += mentorship.ending is not None
            for session in sessions(region, mentorship):
                logged += 1
                voided += session.fix == "voided"
    return Counts(folk, formed, ended, logged, voided)


def count(log: Log) -> Counts:
    return Counts(
        participants=len(log.persons),
        mentorships=len(log.mentorships),
        ended=sum(bool(m.periods and m.periods[-1][1]) for m in log.mentorships.values()),
        sessions=len(log.sessions),
        voided=sum(session.status == "voided" for session in log.sessions.values()),
    )
