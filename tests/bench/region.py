"""The sample region in the services, without its sessions: people to pair, and pairs."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec

from nastavnik_local.sample import SCALES, Region, outline, people
from nastavnik_local.scenario_api import Api
from nastavnik_local.scenario_board import Board
from nastavnik_local.scenario_roster import (
    import_municipality,
    import_territories,
    people_and_places,
)
from tests.bench.stage import Stage

_ZONE = timezone(timedelta(hours=5))
_LATE = ("participant.unknown", "organization.unknown", "mentorship.unknown")


class Pair(NamedTuple):
    """An active mentorship of two pupils of one school; none has met yet."""

    id: str
    school: str


class Pupils:
    """Pupils of general schools by school, each handed out once."""

    def __init__(self, region: Region, by_school: dict[str, list[str]]) -> None:
        self.region = region
        self._couples = _shuffled(by_school)

    def take(self, count: int) -> list[tuple[str, str, str]]:
        """(school, one, other), never the same again."""
        taken = [couple for _, couple in zip(range(count), self._couples, strict=False)]
        if len(taken) < count:
            raise ValueError("the sample region has no more pupils to pair")
        return taken

    def moment(self, number: int) -> str:
        """The start of a mentorship's n-th session: four a day from the year's first day on."""
        day = self.region.calendar.first + timedelta(days=number // 4)
        if day > self.region.calendar.last:
            raise ValueError("the school year is too young for that many sessions")
        return datetime.combine(day, time(8 + number % 4), _ZONE).isoformat()


def _shuffled(by_school: dict[str, list[str]]) -> Iterator[tuple[str, str, str]]:
    couples = [
        (school, one, other)
        for school, ids in by_school.items()
        for one, other in zip(ids[::2], ids[1::2], strict=False)
    ]
    random.Random(1).shuffle(couples)
    return iter(couples)


async def settle_in(stage: Stage, api: Api) -> Pupils:
    """Import the sample region (its first municipality alone when quick) and wait for the rest."""
    region, board, folder = outline(1, SCALES["sample"]), Board(), Path(stage.root) / "packages"
    folder.mkdir(exist_ok=True)
    units = await import_territories(region, api, board, folder)
    by_school: dict[str, list[str]] = defaultdict(list)
    for place in region.municipalities[: 1 if stage.quick else None]:
        await import_municipality(region, place, units, api, board, folder)
        ids = await people_and_places(region, place, api)
        schools = {org.sid for org in place.organizations if org.kind == "general"}
        for person in people(region, place):
            home = person.roles[0]
            if home.role == "student" and home.org in schools and len(person.roles) == 1:
                by_school[ids[home.org]].append(ids[person.sid])
    await stage.settled(api)
    return Pupils(region, by_school)


async def form(api: Api, stage: Stage, pupils: Pupils, count: int) -> list[Pair]:
    """That many pairs, active since the year's first day, known to metrics."""
    found, lines = [], []
    for school, one, other in pupils.take(count):
        pair = Pair(str(uuid4()), school)
        body = {
            "id": pair.id,
            "organization_id": school,
            "type": "pair",
            "form": "student_student",
            "members": [
                {"participant_id": one, "role": "mentor"},
                {"participant_id": other, "role": "mentee"},
            ],
            "active_from": pupils.region.calendar.first.isoformat(),
        }
        found.append(pair)
        lines.append(msgspec.json.encode(body))
    for start in range(0, len(lines), 1000):
        await _send(api, "/mentorships:batch", lines[start : start + 1000])
    await stage.settled(api)
    return found


async def _send(api: Api, path: str, lines: Sequence[bytes]) -> None:
    """A batch; lines about people the activity service has not heard of yet are sent again."""
    waiting = list(lines)
    while waiting:
        answers = await api.batch(path, waiting)
        bad = [a for a in answers if a.status == "error" and a.code not in _LATE]
        if bad:
            raise RuntimeError(f"{path}: {bad[0].code}: {bad[0].detail}")
        told = zip(waiting, answers, strict=True)
        waiting = [line for line, answer in told if answer.status == "error"]
        if waiting:
            await asyncio.sleep(0.2)


def session(pair: Pair, starts_at: str) -> dict[str, Any]:
    """A held session of all its members, as the API takes it."""
    return {"mentorship_id": pair.id, "starts_at": starts_at, "duration_minutes": 45}
