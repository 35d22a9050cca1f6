"""What the scenario has done so far and where the figures stand, for any way of showing it."""

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

SHOWN = ("coverage.students", "coverage.staff", "coverage.pooled")
STAGES = (
    "packages",
    "programmes",
    "mentorships",
    "sessions",
    "surveys",
    "assessments",
    "records",  # trainings, headcounts, contributions, gatherings
    "changes",
)
_MADE = ("packages", "programmes", "mentorships", "sessions", "surveys", "assessments")
_WINDOW = 3.0  # seconds over which the rate of events is taken


class Stage(msgspec.Struct):
    """`created` is what this run made; the rest of `done` was there before."""

    done: int = 0
    total: int = 0
    created: int = 0


class Figure(msgspec.Struct, frozen=True):
    numerator: int
    denominator: int
    value: float | None
    target: float | None


class Row(msgspec.Struct, frozen=True):
    """One indicator of the region. `effect`: the effect size of a change."""

    group: str
    title: str
    unit: str
    figure: Figure
    reason: str | None
    effect: float | None


class Unit(msgspec.Struct):
    name: str
    level: str
    figures: dict[str, Figure] = {}


class Board:
    """Written by the scenario and the watcher, read by whoever shows it."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.stages = {name: Stage() for name in STAGES}
        self.people: dict[str, int] = {}  # added, changed, unchanged, vanished
        self.units: dict[str, Unit] = {}
        self.card: list[Row] = []
        self.phase_text = ""
        self.lag: int | None = None
        self.finished = False
        self._applied: deque[tuple[float, int]] = deque()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def expect(self, stage: str, more: int) -> None:
        self.stages[stage].total += more

    def done(self, stage: str, *, created: bool = True) -> None:
        self.stages[stage].done += 1
        self.stages[stage].created += created

    def phase(self, package: str, progress: Mapping[str, Any]) -> None:
        """Where an import is: its phase with the rows done of all."""
        done, total = progress.get("done") or 0, progress.get("total") or 0
        self.phase_text = f"{package}: {progress.get('phase') or 'queued'} {done:,}/{total:,}"

    def imported(self, changes: Mapping[str, Mapping[str, int]]) -> None:
        for what, count in (changes.get("participants") or {}).items():
            self.people[what] = self.people.get(what, 0) + count
        self.phase_text = ""
        new = (c.get("added", 0) + c.get("changed", 0) for c in changes.values())
        self.done("packages", created=sum(new) > 0)

    def figure(self, indicator: str, value: Mapping[str, Any]) -> None:
        """A value as the metrics API returns it."""
        unit = self.units.get(value["unit_id"])
        if unit is None:
            unit = self.units[value["unit_id"]] = Unit(value["unit_name"], value["level"], {})
        unit.figures[indicator] = Figure(
            value["numerator"], value["denominator"], value["value"], value["target"]
        )

    def progress(self, applied: int, lag: int) -> None:
        """How many events metrics has read by now, and how many wait."""
        now = time.monotonic()
        self.lag = lag
        self._applied.append((now, applied))
        while len(self._applied) > 2 and now - self._applied[0][0] > _WINDOW:
            self._applied.popleft()

    @property
    def rate(self) -> float:
        """Events a second that metrics has read lately."""
        if len(self._applied) < 2:
            return 0.0
        (before, first), (now, last) = self._applied[0], self._applied[-1]
        return max(0.0, (last - first) / max(now - before, 0.001))

    @property
    def region(self) -> Unit | None:
        return next((u for u in self.units.values() if u.level == "region"), None)

    @property
    def everything_was_there(self) -> bool:
        """Whether this run found all of it from an earlier one."""
        made = sum(self.stages[name].created for name in _MADE)
        return self.finished and made == 0
