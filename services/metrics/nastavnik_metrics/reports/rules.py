"""The life of a report. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_common.events.registry import Level
from nastavnik_metrics.tree import Tree

Status = Literal["draft", "submitted", "returned", "accepted", "frozen"]
Action = Literal["submit", "return", "accept", "freeze"]

_MOVES: dict[Action, tuple[tuple[Status, ...], Status]] = {
    "submit": (("draft", "returned"), "submitted"),
    "return": (("submitted",), "returned"),
    "accept": (("submitted",), "accepted"),
    "freeze": (("accepted",), "frozen"),
}


class Report(NamedTuple):
    id: UUID
    version: int
    unit_id: UUID
    school_year: int
    level: Level
    status: Status
    created_at: datetime
    watermark: datetime | None
    last_change: int | None
    """The newest announcement that the frozen values can have been in."""


class Move(NamedTuple):
    """`by` is opaque; `alone`: may accept what they handed in themselves."""

    action: Action
    by: str
    comment: str | None
    alone: bool = False


class Step(NamedTuple):
    version: int
    action: Action
    by: str
    comment: str | None
    at: datetime


def moved(status: Status, action: Action) -> Status:
    """The status after the action; ConflictError when it is not its turn."""
    before, after = _MOVES[action]
    if status not in before:
        raise ConflictError(
            "report.wrong_status",
            f"The report is {status}; to {action} it, it must be {' or '.join(before)}.",
        )
    return after


def check_four_eyes(steps: Sequence[Step], by: str) -> None:
    """403 to whoever handed in what is to be accepted."""
    submitted = [step.by for step in steps if step.action == "submit"]
    if submitted[-1:] == [by]:
        detail = "You handed the report in yourself; somebody else must accept it."
        raise DomainError("report.own_submission", detail, status=403)


def due_below(tree: Tree, unit: UUID, obliged: Collection[UUID]) -> set[UUID]:
    """The units whose reports come before the unit's own.

    They are the obliged organisations under it, and the territories of lower levels with any;
    behind such a territory nobody is looked for: its own report has waited for them.
    """
    if tree.units[unit].level == "organization":
        return set()
    due: set[UUID] = set()
    seen, waiting = {unit}, list(tree.children(unit))
    while waiting:
        at = waiting.pop()
        state = tree.units.get(at)
        if at in seen or state is None:
            continue
        seen.add(at)
        if state.level == "organization":
            due.update({at}.intersection(obliged))
        elif any(below.id in obliged for below in tree.organizations(at)):
            due.add(at)
        if state.level in ("organization", tree.units[unit].level):
            waiting += tree.children(at)
    return due
