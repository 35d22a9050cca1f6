"""What clients do to the system all the time, and what they were told has been done.

Each worker has a region of its own and does one thing after another, so that what must be in the
log in the end is known exactly, whatever happened in between.
"""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from nastavnik_local.recount_log import Log
from nastavnik_local.scenario_api import Api, ScenarioError
from tests.system.helpers import DAY, World

_MOTIVATION = ("interest", "own_wish", "usefulness", "effort", "would_skip")
_SLOTS = 140  # sessions of ten minutes that fit into a day
_DAYS = 25
_PEOPLE = 60


@dataclass
class Told:
    """By id, what the services have acknowledged. None: deleted."""

    sessions: dict[str, str | None] = field(default_factory=dict)
    surveys: dict[str, str | None] = field(default_factory=dict)
    persons: dict[str, str | None] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    """Asked for, and no answer came for a minute: done or not."""

    def differs(self, log: Log) -> list[str]:
        """What was acknowledged and is not in the log, or is another."""
        found = []
        for kind in ("sessions", "surveys", "persons"):
            logged = getattr(log, kind)
            for ident, status in getattr(self, kind).items():
                seen = getattr(logged[ident], "status", "there") if ident in logged else None
                if seen != status and ident not in self.unknown:
                    found.append(f"{kind} {ident}: told {status}, logged {seen}")
        return found


class Worker(World):
    """One client: a school, its pupils and pairs, and another school for those who move."""

    def __init__(self, api: Api, chance: random.Random, told: Told) -> None:
        super().__init__(api)
        self.other = str(uuid4())
        self.done: Counter[str] = Counter()
        self._chance = chance
        self._told = told
        self._slot: Counter[str] = Counter()
        self._mine: dict[str, list[str]] = {"sessions": [], "surveys": []}
        self._surveyed: set[tuple[str, str]] = set()
        self._actions = {
            self._arrive: 3,
            self._pair_up: 2,
            self._meet: 8,
            self._correct: 4,
            self._void: 2,
            self._delete_session: 1,
            self._move: 2,
            self._leave: 1,
            self._ask: 2,
            self._void_survey: 1,
        }

    async def work(self, stop: asyncio.Event) -> None:
        await self.build(pupils=8, pairs=3)
        self._told.persons |= dict.fromkeys(self.people, "there")
        body = {"id": self.other, "level": "organization", "name": "other", "kind": "general"}
        await self.api.send("registry", "POST", "/organizations", body | {"parent_id": self.town})
        while not stop.is_set():
            (action,) = self._chance.choices(list(self._actions), list(self._actions.values()))
            try:
                await action()
                self.done[action.__name__.strip("_")] += 1
            except ScenarioError:
                self.done["unanswered"] += 1
            await asyncio.sleep(self._chance.uniform(0, 0.1))

    async def _send(self, service: str, ident: str, method: str, path: str, body: Any) -> None:
        """Until it is answered `ident` is in doubt."""
        self._told.unknown.add(ident)
        # what an unanswered request of before has deleted is gone already
        allow = tuple(f"{kind}.not_found" for kind in ("session", "survey", "participant"))
        await self.api.send(service, method, path, body, allow=allow)
        self._told.unknown.discard(ident)

    def _some(self, kind: str, status: str) -> str | None:
        """One of mine with that status."""
        mine = [i for i in self._mine[kind] if getattr(self._told, kind)[i] == status]
        return self._chance.choice(mine[-200:]) if mine else None

    async def _arrive(self) -> None:
        if len(self.people) < _PEOPLE:
            self._told.persons[await self.person()] = "there"

    async def _pair_up(self) -> None:
        paired = {who for _, *both in self.pairs for who in both}
        free = [who for who in self.people if who not in paired]
        if len(free) > 2:
            await self.pair(*self._chance.sample(free, 2))

    async def _meet(self) -> None:
        made = [self._next() for _ in range(self._chance.randint(1, 20))]
        ids = [body["id"] for body in made]
        self._told.unknown.update(ids)
        self._told.sessions |= dict.fromkeys(ids, "held")
        lines = await self.api.batch("/sessions:batch", [json.dumps(b).encode() for b in made])
        for line in lines:
            assert line.status in ("created", "unchanged"), line
        self._mine["sessions"] += ids
        self._told.unknown.difference_update(ids)

    def _next(self) -> dict[str, Any]:
        number = self._chance.randrange(len(self.pairs))
        slot = self._slot[self.pairs[number][0]]
        self._slot[self.pairs[number][0]] += 1
        day = DAY - timedelta(days=slot // _SLOTS % _DAYS)
        minute = slot % _SLOTS * 10
        starts = f"{day}T{minute // 60:02d}:{minute % 60:02d}:00Z"
        return self.meeting(number, starts_at=starts)

    async def _correct(self) -> None:
        if ident := self._some("sessions", "held"):
            technology = self._chance.choice(["project", "training", "interactive"])
            change = {"technology": technology, "duration_minutes": self._chance.randint(5, 10)}
            await self._send("activity", ident, "PATCH", f"/sessions/{ident}", change)

    async def _void(self) -> None:
        if ident := self._some("sessions", "held"):
            self._told.sessions[ident] = "voided"
            await self._send("activity", ident, "POST", f"/sessions/{ident}:void", {})

    async def _delete_session(self) -> None:
        if ident := self._some("sessions", self._chance.choice(["held", "voided"])):
            self._told.sessions[ident] = None
            await self._send("activity", ident, "DELETE", f"/sessions/{ident}", {})

    async def _move(self) -> None:
        ident = self._chance.choice(self.people)
        school = self._chance.choice([self.school, self.other])
        change = {"memberships": [{"organization_id": school, "kind": "student"}]}
        await self._send("registry", ident, "PATCH", f"/participants/{ident}", change)

    async def _leave(self) -> None:
        """A record that should never have existed; nobody in a pair."""
        paired = {who for _, *both in self.pairs for who in both}
        free = [who for who in self.people if who not in paired]
        if len(free) > 1:
            ident = self._chance.choice(free)
            self.people.remove(ident)
            self._told.persons[ident] = None
            await self._send("registry", ident, "DELETE", f"/participants/{ident}", {})

    async def _ask(self) -> None:
        mentorship, _, mentee = self._chance.choice(self.pairs)
        stage = self._chance.choice(["entry", "exit"])
        if (mentee, stage) in self._surveyed:
            return
        self._surveyed.add((mentee, stage))
        ident = str(uuid4())
        body = {
            "id": ident,
            "questionnaire": "motivation",
            "mentorship_id": mentorship,
            "respondent_id": mentee,
            "stage": stage,
            "date": str(DAY),
            "answers": [{"item": i, "value": self._chance.randint(1, 5)} for i in _MOTIVATION],
        }
        self._told.surveys[ident] = "valid"
        self._mine["surveys"].append(ident)
        await self._send("activity", ident, "POST", "/surveys", body)

    async def _void_survey(self) -> None:
        if ident := self._some("surveys", "valid"):
            self._told.surveys[ident] = "voided"
            await self._send("activity", ident, "POST", f"/surveys/{ident}:void", {})
