"""Cells, and what anything adds to them. Pure.

A cell holds *steps* on the axis of school months: the stock at the end of month t is the sum of
the steps at months ≤ t. A span [a, b) is +n at a and −n at b. What accumulates within a school year
and starts anew with the next, which is everything but populations, is a span that ends with its
year. So one way of adding and one of reading serve them all, and nothing needs a horizon.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from nastavnik_metrics import months
from nastavnik_metrics.months import Span


class Cell(NamedTuple):
    organization_id: UUID
    school_month: int
    slice: str
    measure: str


Cells = dict[Cell, int]


class Adding:
    """Collects steps of one owner at one organisation after another."""

    def __init__(self) -> None:
        # by organisation first: hashing a UUID costs more than all the rest of a key
        self._steps: dict[UUID, dict[tuple[int, str, str], int]] = {}

    def add(
        self, organization_id: UUID, span: Span, slices: Iterable[str], measure: str, n: int = 1
    ) -> None:
        first, end = span
        if first >= end or n == 0:
            return
        steps = self._steps.setdefault(organization_id, {})
        for at in slices:
            key = (first, at, measure)
            steps[key] = steps.get(key, 0) + n
            if end < months.LAST:
                key = (end, at, measure)
                steps[key] = steps.get(key, 0) - n

    def cells(self) -> Cells:
        return {
            Cell(organization_id, *key): n
            for organization_id, steps in self._steps.items()
            for key, n in steps.items()
            if n
        }


def without_zeros(cells: Mapping[Cell, int]) -> Cells:
    return {cell: value for cell, value in cells.items() if value}


def difference(old: Cells, new: Cells) -> Cells:
    """What to add to the cells so that `old` is replaced by `new` in them."""
    delta = {cell: -n for cell, n in old.items()}
    for cell, n in new.items():
        delta[cell] = delta.get(cell, 0) + n
    return without_zeros(delta)


def order(cell: Cell) -> tuple[int, int, str, str]:
    """PostgreSQL's order of uuid is that of its integer; comparing the objects is slow."""
    return cell[0].int, *cell[1:]
