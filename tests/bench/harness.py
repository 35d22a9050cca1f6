"""What the benchmarks share: rows of results, percentiles, a table."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

_PATIENCE = 600.0


@dataclass(frozen=True)
class Row:
    """One figure: of the thing, of its floor, and what the floor is."""

    name: str
    figure: float
    unit: str
    floor: float | None = None
    floor_name: str = ""
    error: str = ""
    """Why there is no figure."""

    @property
    def ratio(self) -> str:
        return "" if not self.floor else f"{self.figure / self.floor:.2f}"

    @property
    def told(self) -> str:
        return self.error or f"{self.figure:,.1f} {self.unit}"


def failed(name: str, error: Exception) -> Row:
    """In the place of a figure; the others go on."""
    text = " ".join(str(error).split()).replace("|", "/")[:200]
    return Row(name, 0.0, "", error=f"failed: {type(error).__name__}: {text}")


async def attempted(name: str, measuring: Awaitable[list[Row]]) -> list[Row]:
    try:
        return await measuring
    except Exception as error:
        return [failed(name, error)]


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Seconds since the block began, frozen at its end."""
    began = time.perf_counter()
    ended: list[float] = []
    yield lambda: (ended[0] if ended else time.perf_counter()) - began
    ended.append(time.perf_counter())


async def until(condition: Callable[[], Awaitable[bool]], pause: float = 0.005) -> None:
    """Look again and again, until the condition holds; TimeoutError after ten minutes."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            if await condition():
                return
            await asyncio.sleep(pause)


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def show(rows: Sequence[Row]) -> None:
    table = Table("what", "figure", "floor", "ratio", title="Benchmarks")
    for row in rows:
        floor = f"{row.floor:,.1f} {row.unit} {row.floor_name}" if row.floor else ""
        table.add_row(row.name, row.told, floor, row.ratio)
    Console(width=140).print(table)


def markdown(rows: Sequence[Row]) -> str:
    lines = ["| what | figure | floor of the same run | ratio |", "|---|---:|---|---:|"]
    for row in rows:
        floor = f"{row.floor:,.1f} {row.unit} ({row.floor_name})" if row.floor else "—"
        lines.append(f"| {row.name} | {row.told} | {floor} | {row.ratio or '—'} |")
    return "\n".join(lines) + "\n"
