"""Watching the figures move: the metrics API, once a second."""

import asyncio
from typing import Any

from nastavnik_common.clock import label
from nastavnik_local.sample import Region
from nastavnik_local.scenario_api import Api, Json
from nastavnik_local.scenario_board import SHOWN, Board, Figure, Row

_PERIOD = 1.0
_SETTLED = 3  # looks in a row without a change
_PATIENCE = 300.0


async def watch(region: Region, unit: str, api: Api, board: Board) -> None:
    """For ever: the values of the region and its municipalities, and the lag."""
    while True:
        await look(region, unit, api, board)
        await asyncio.sleep(_PERIOD)


async def look(region: Region, unit: str, api: Api, board: Board) -> None:
    """Once. What metrics does not know yet is left out."""
    progress = (await api.get("metrics", "/progress")).body
    partitions = progress.get("partitions", ())
    board.progress(sum(map(_read, partitions)), progress.get("lag", 0))
    await asyncio.gather(*(_figures(region, unit, name, api, board) for name in SHOWN))


async def fill_card(region: Region, unit: str, api: Api, board: Board) -> None:
    """Every indicator of the unit, in the catalogue's order."""
    year = label(region.calendar.year)
    catalogue = (await api.get("metrics", "/indicators", school_year=year)).body
    card = (await api.get("metrics", f"/units/{unit}/card", school_year=year)).body
    values = {value["indicator"]: value for value in card.get("values", ())}
    board.card = [
        _row(indicator, values[indicator["code"]])
        for indicator in catalogue.get("items", ())
        if indicator["code"] in values
    ]


def _row(indicator: Json, value: Json) -> Row:
    figure = Figure(value["numerator"], value["denominator"], value["value"], value["target"])
    change = value["change"] or {}
    return Row(
        indicator["group"],
        indicator["title_en"],
        indicator["unit"],
        figure,
        value["reason"],
        change.get("effect_size"),
    )


async def _figures(region: Region, unit: str, indicator: str, api: Api, board: Board) -> None:
    path, year = f"/indicators/{indicator}/values", label(region.calendar.year)
    answer = await api.get("metrics", path, unit=unit, school_year=year, children="true")
    for value in answer.body.get("items", ()):
        board.figure(indicator, value)


def _read(partition: dict[str, Any]) -> int:
    return sum(partition[name] for name in ("applied", "superseded", "parked", "skipped"))


async def settle(region: Region, unit: str, api: Api, board: Board) -> bool:
    """Until metrics has read everything and its figures stand still; False if it never does.

    The region's card is filled in meanwhile.
    """
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    calm, before = 0, None
    while calm < _SETTLED:
        if asyncio.get_running_loop().time() > deadline:
            return False
        await look(region, unit, api, board)
        await fill_card(region, unit, api, board)
        now = str((board.units, board.card))
        calm = calm + 1 if board.lag == 0 and now == before else 0
        before = now
        await asyncio.sleep(0.4)
    return True
