"""The recounted figures beside those the metrics API returns, one by one."""

import asyncio
from datetime import datetime
from typing import Any

import httpx
import msgspec

from nastavnik_local.recount import (
    INDICATORS,
    Cell,
    Change,
    Figure,
    Figures,
    whole_denominator,
)
from nastavnik_local.recount_ledger import ALL
from nastavnik_local.recount_log import Log
from nastavnik_local.recount_value import effect_size, has_denominator, value_of

_IN_FLIGHT = 8
_ROUNDING = 0.0101  # the second decimal, rounded either way


class Difference(msgspec.Struct, frozen=True):
    """`served` and `recounted` are "numerator/denominator = value"; either may be missing."""

    indicator: str
    form: str
    unit: str
    served: str
    recounted: str


class Served(msgspec.Struct, frozen=True):
    """`change` is there if the API tells it; the effect size is a part of it."""

    numerator: int
    denominator: int
    value: float | None
    change: Change | None = None
    effect_size: float | None = None


async def served_figures(
    metrics: httpx.AsyncClient, log: Log, year: str
) -> tuple[dict[Cell, Served], datetime | None]:
    """What the API says of every unit: its card in every slice; and the earliest watermark."""
    found: dict[Cell, Served] = {}
    watermarks: list[datetime] = []
    gate = asyncio.Semaphore(_IN_FLIGHT)

    async def ask(unit: str) -> None:
        query = {"school_year": year, "form": "*"}
        async with gate:
            answer = await metrics.get(f"/units/{unit}/card", params=query)
        if answer.status_code != httpx.codes.OK:
            return  # all its figures are missing
        for value in msgspec.json.decode(answer.content)["values"]:
            found[value["indicator"], value["form"], value["unit_id"]] = _served(value)
            if value["watermark"]:
                watermarks.append(datetime.fromisoformat(value["watermark"]))

    await asyncio.gather(*(ask(unit) for unit in log.organizations))
    return found, min(watermarks, default=None)


def _served(value: dict[str, Any]) -> Served:
    change = value.get("change")
    return Served(
        value["numerator"],
        value["denominator"],
        value["value"],
        Change(change["count"], change["sum"], change["squares"]) if change else None,
        change["effect_size"] if change else None,
    )


def compare(figures: Figures, served: dict[Cell, Served], log: Log) -> list[Difference]:
    """Where they differ, a missing figure included; empty is what everybody hopes for."""
    found = []
    for cell, mine in figures.items():
        theirs = served.get(cell)
        if theirs is None:
            if not _may_be_missing(cell, mine, figures):
                found.append(_difference(log, cell, "missing", _mine(cell[0], mine)))
        elif not _equal(cell[0], mine, theirs):
            found.append(_difference(log, cell, _text(theirs), _mine(cell[0], mine)))
    for cell, theirs in served.items():
        if cell not in figures and cell[0] in INDICATORS:
            found.append(_difference(log, cell, _text(theirs), "missing"))
    return found


def _may_be_missing(cell: Cell, mine: Figure, figures: Figures) -> bool:
    """A card leaves out slices in which nothing was counted; never `all`."""
    indicator, slice_, unit = cell
    if slice_ == ALL or mine.numerator or (mine.change and mine.change.pairs):
        return False
    if whole_denominator(indicator):
        return mine.denominator == figures[indicator, ALL, unit].denominator
    return mine.denominator == 0


def _equal(indicator: str, mine: Figure, theirs: Served) -> bool:
    """The counts exactly; the value up to the last of its two decimals' rounding."""
    if mine.numerator != theirs.numerator:
        return False
    if has_denominator(indicator) and mine.denominator != theirs.denominator:
        return False
    if mine.change is not None and theirs.change is not None:
        if mine.change != theirs.change:
            return False
        if not _close(effect_size(mine.change), theirs.effect_size):
            return False
    return _close(value_of(indicator, mine), theirs.value)


def _close(mine: float | None, theirs: float | None) -> bool:
    if mine is None or theirs is None:
        return mine is theirs
    return abs(mine - theirs) < _ROUNDING


def _difference(log: Log, cell: Cell, theirs: str, mine: str) -> Difference:
    indicator, slice_, unit = cell
    known = log.organizations.get(unit)
    return Difference(indicator, slice_, known.name if known else unit, theirs, mine)


def _mine(indicator: str, figure: Figure) -> str:
    value = value_of(indicator, figure)
    size = effect_size(figure.change) if figure.change else None
    return _text(Served(figure.numerator, figure.denominator, value, figure.change, size))


def _text(figure: Served) -> str:
    text = f"{figure.numerator}/{figure.denominator} = {figure.value}"
    if figure.change is None:
        return text
    pairs, total, squares = figure.change
    return f"{text}; change {pairs}, {total}, {squares}; effect {figure.effect_size}"
