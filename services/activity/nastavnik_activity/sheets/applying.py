"""Rows of a sheet → what became of each."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from nastavnik_activity.commands.base import Entry, Made, Results
from nastavnik_common.errors import DomainError
from nastavnik_common.sheets.reports import Result, RowError
from nastavnik_common.sheets.rows import Row

L = TypeVar("L")


async def enter(
    rows: Sequence[Row],
    line: Callable[[Row], L],
    action: Callable[[list[L]], Awaitable[Results]],
) -> list[Result]:
    """The lines that the rows make are entered together; rows that make none are refused."""
    made: list[L | RowError] = []
    for row in rows:
        try:
            made.append(line(row))
        except RowError as error:
            made.append(error)
    lines = [each for each in made if not isinstance(each, RowError)]
    outcomes = iter(await action(lines) if lines else ())
    return [each if isinstance(each, RowError) else _result(next(outcomes)) for each in made]


def _result(outcome: Made[Any] | Entry | DomainError) -> Result:
    if isinstance(outcome, DomainError):
        return outcome
    return (Entry.of(outcome) if isinstance(outcome, Made) else outcome).did
