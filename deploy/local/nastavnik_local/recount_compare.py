"""The recounted figures beside those the metrics API returns, one by one."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec

from nastavnik_local.recount import INDICATORS, Cell, Figures, forms
from nastavnik_local.recount_log import Log

_IN_FLIGHT = 8


class Difference(msgspec.Struct, frozen=True):
    """`served` and `recounted` are "numerator/denominator = value"; served may be missing."""

    indicator: str
    form: str
    unit: str
    served: str
    recounted: str


class Served(msgspec.Struct, frozen=True):
    numerator: int
    denominator: int
    value: float | None


async def served_figures(metrics: httpx.AsyncClient, log: Log, year: str) -> dict[Cell, Served]:
    """What the API says of every indicator, form and unit; asks territories with children."""
    territories = [i for i, o in log.organizations.items() if o.level != "organization"]
    found: dict[Cell, Served] = {}
    gate = asyncio.Semaphore(_IN_FLIGHT)

    async def ask(indicator: str, form: str, unit: str) -> None:
        query = {"unit": unit, "school_year": year, "form": form, "children": "true"}
        async with gate:
            answer = await metrics.get(f"/indicators/{indicator}/values", params=query)
        if answer.status_code == httpx.codes.OK:
            for value in _values(answer.json()):
                found[indicator, form, value["unit_id"]] = _served(value)

    await asyncio.gather(
        *(ask(i, form, unit) for i in INDICATORS for form in forms(log) for unit in territories)
    )
    return found


def _values(answer: Any) -> Iterator[dict[str, Any]]:
    """Every value in an answer, wherever it stands: alone, in a list, or among children."""
    if isinstance(answer, dict):
        if "numerator" in answer:
            yield answer
        answer = list(answer.values())
    if isinstance(answer, list):
        for part in answer:
            yield from _values(part)


def _served(value: dict[str, Any]) -> Served:
    return Served(value["numerator"], value["denominator"], value["value"])


def compare(figures: Figures, served: dict[Cell, Served], log: Log) -> list[Difference]:
    """Where they differ, a missing value included; empty is what everybody hopes for."""
    found = []
    for cell, (numerator, denominator) in figures.items():
        value = round(100 * numerator / denominator, 2) if denominator else None
        mine = Served(numerator, denominator, value)
        theirs = served.get(cell)
        if theirs is None or not _equal(mine, theirs):
            indicator, form, unit = cell
            name = log.organizations[unit].name
            found.append(Difference(indicator, form, name, _text(theirs), _text(mine)))
    return found


def _equal(mine: Served, theirs: Served) -> bool:
    """The counts exactly; the percentage up to the last of its two decimals' rounding."""
    if (mine.numerator, mine.denominator) != (theirs.numerator, theirs.denominator):
        return False
    if mine.value is None or theirs.value is None:
        return mine.value is theirs.value
    return abs(mine.value - theirs.value) < 0.0101


def _text(figure: Served | None) -> str:
    if figure is None:
        return "missing"
    return f"{figure.numerator}/{figure.denominator} = {figure.value}"
