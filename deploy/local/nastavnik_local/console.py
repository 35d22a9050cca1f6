"""How the scenario looks: a live table on a terminal, plain lines anywhere else."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from nastavnik_local.scenario_board import SHOWN, Board, Figure, Stage, Unit

_WIDTH = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120  # of a log
console = Console(highlight=False, width=_WIDTH)
_TITLES = {"coverage.students": "pupils", "coverage.staff": "staff", "coverage.pooled": "together"}
_LINE_EVERY = 2.0
_WIDE = 100  # columns of a terminal that has room for the counts
_FRAME = 20  # lines that are not municipalities


def say(message: str) -> None:
    console.print(message, markup=False, soft_wrap=True)


@contextlib.asynccontextmanager
async def showing(board: Board) -> AsyncIterator[None]:
    """Show the board while the block runs, and its last state when it ends."""
    if console.is_terminal:
        with Live(get_renderable=lambda: render(board), console=console, refresh_per_second=4):
            yield
        return
    task = asyncio.create_task(_lines(board))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        say(line(board))


async def _lines(board: Board) -> None:
    before = ""
    while True:
        await asyncio.sleep(_LINE_EVERY)
        now = line(board)
        if now.partition("s ")[2] != before.partition("s ")[2]:
            say(now)
        before = now


def line(board: Board) -> str:
    """One line for a log: stages, the region's figures, lag, rate."""
    stages = (f"{name} {_counts(s)}" for name, s in board.stages.items() if s.total)
    known = board.region.figures if board.region else {}
    figures = (f"{_TITLES[name]} {_percent(known[name])}" for name in SHOWN if name in known)
    return (
        f"{board.elapsed:6.1f}s  {'  '.join(stages)}  |  {'  '.join(figures)}"
        f"  |  lag {board.lag or 0}  {board.rate:.0f} events/s"
    )


def _counts(stage: Stage) -> str:
    return f"{stage.done}/{stage.total}" if stage.done < stage.total else str(stage.done)


def render(board: Board) -> RenderableType:
    status = Text(
        f"metrics: {board.rate:,.0f} events/s, lag {board.lag or 0:,}   {board.phase_text}",
        style="dim",
    )
    return Group(_stages(board), table(board), status)


def _stages(board: Board) -> Table:
    grid = Table.grid(padding=(0, 2))
    for name, stage in board.stages.items():
        bar = ProgressBar(total=max(stage.total, 1), completed=stage.done, width=40)
        there = stage.done - stage.created
        note = f"{there:,} were there" if there else ""
        grid.add_row(name, bar, f"{stage.done:,}/{stage.total:,}", Text(note, style="dim"))
    return grid


def table(board: Board) -> Table:
    """Region and municipalities: each figure with its counts, green from the target on."""
    made = Table()
    made.add_column("unit", no_wrap=True)
    for indicator in SHOWN:
        made.add_column(_TITLES[indicator], justify="right", no_wrap=True)
    units = sorted(board.units.values(), key=lambda u: (u.level != "region", u.name))
    room = max(5, console.height - _FRAME) if console.is_terminal else len(units)
    for unit in units[: room + 1]:
        cells = [_cell(unit.figures.get(indicator)) for indicator in SHOWN]
        made.add_row(unit.name, *cells, style="bold" if unit.level == "region" else None)
    if len(units) > room + 1:
        made.add_row(f"… and {len(units) - room - 1} more", *[""] * len(SHOWN))
    made.caption = _caption(board.region)
    return made


def _caption(region: Unit | None) -> str | None:
    goals = {f.target for f in region.figures.values() if f.target} if region else set()
    return f"target {' / '.join(f'{goal:g} %' for goal in sorted(goals))}" if goals else None


def _cell(figure: Figure | None) -> Text:
    if figure is None:
        return Text("…", style="dim")
    reached = figure.value is not None and figure.target is not None
    style = "" if not reached else "green" if _reached(figure) else "yellow"
    counts = f"  {figure.numerator:,}/{figure.denominator:,}" if console.width >= _WIDE else ""
    return Text.assemble((f"{_percent(figure):>8}", style), (counts, "dim"))


def _reached(figure: Figure) -> bool:
    return figure.value is not None and figure.target is not None and figure.value >= figure.target


def _percent(figure: Figure) -> str:
    return "no data" if figure.value is None else f"{figure.value:.2f} %"
