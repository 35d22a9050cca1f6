"""`nastavnik run` and `nastavnik demo`: the system with the sample region at work in it."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from rich.table import Table

from nastavnik_local.cli_system import Ports, System, places, system
from nastavnik_local.console import console, say, showing, table
from nastavnik_local.console_card import card
from nastavnik_local.errors import LaunchError
from nastavnik_local.keeper import Keeper
from nastavnik_local.recount_audit import Audit, audit
from nastavnik_local.sample import SCALES, Region, outline
from nastavnik_local.scenario import Scenario
from nastavnik_local.scenario_api import Api
from nastavnik_local.scenario_board import Board
from nastavnik_local.scenario_watch import watch

_NOTE = "sample.json"
_MOST_SHOWN = 20
T = TypeVar("T")


class Sample(msgspec.Struct, frozen=True):
    """Which region a data directory holds; `today` is the day it was made for."""

    seed: int
    scale: str
    today: date

    def region(self) -> Region:
        return outline(self.seed, SCALES[self.scale], self.today)


class OtherSampleError(LaunchError):
    """The data directory holds another region."""


def run(root: Path, sample: Sample, ports: Ports, *, fresh: bool) -> None:
    """Bring everything up, play the scenario, watch until interrupted."""
    if fresh:
        _empty(root)
    sample = _remember(root, sample)
    with system(root, ports) as up:
        say(f"Nastavnik is up:\n{places(up.urls)}")
        work = partial(_play_and_watch, region=sample.region(), root=root)
        asyncio.run(_supervised(up, work))


async def _play_and_watch(api: Api, region: Region, root: Path) -> None:
    board = Board()
    async with showing(board):
        units = await Scenario(region, api, board, root / "packages").play()
        console.print(card(board, console.width))
        say(summary(board))
        say("Watching the figures; Ctrl-C stops everything.")
        await watch(region, units.region, api, board)


def demo(root: Path | None, sample: Sample, ports: Ports) -> bool:
    """The scenario in a directory of its own, and the audit. What failed is kept for a look."""
    folder = root or Path(tempfile.mkdtemp(prefix="nastavnik-demo-"))
    passed = False
    try:
        with system(folder, ports, fsync=False) as up:
            passed = asyncio.run(
                _supervised(up, lambda api: _play_and_audit(api, sample, up, folder))
            )
    finally:
        if passed and root is None:
            shutil.rmtree(folder, ignore_errors=True)
        elif not passed:
            say(f"Data and logs are kept in {folder}")
    return passed


async def _play_and_audit(api: Api, sample: Sample, up: System, folder: Path) -> bool:
    board, region = Board(), sample.region()
    async with showing(board):
        await Scenario(region, api, board, folder / "packages").play()
    if not console.is_terminal:
        console.print(table(board))
    console.print(card(board, console.width))
    say(summary(board))
    say("Recounting every figure from the log …")
    found = await audit(region, api, up.bootstrap)
    _tell(found)
    return found.passed


async def _supervised(up: System, work: Callable[[Api], Coroutine[Any, Any, T]]) -> T:
    """Do the work while the supervisor watches; what either raises comes out bare."""
    async with Api.connect(up.urls, up.token) as api:
        watching = asyncio.create_task(up.supervisor.watch())
        working = asyncio.create_task(work(api))
        try:
            await asyncio.wait([watching, working], return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
            return working.result()
        except BaseExceptionGroup as group:
            raise _first(group) from group
        finally:
            for task in (watching, working):
                task.cancel()
            await asyncio.gather(watching, working, return_exceptions=True)


def _first(error: BaseException) -> BaseException:
    """What went wrong first, out of groups in groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def summary(board: Board) -> str:
    if board.everything_was_there:
        return (
            f"Everything was there already: {_done(board, 'mentorships')} mentorships, "
            f"{_done(board, 'sessions')} sessions, {_done(board, 'surveys')} surveys and "
            f"{_done(board, 'assessments')} assessments are unchanged ({board.elapsed:.1f} s)."
        )
    people = sum(board.people.get(what, 0) for what in ("added", "changed", "unchanged"))
    return (
        f"Done in {board.elapsed:.1f} s: {people:,} people imported, "
        f"{board.stages['mentorships'].created:,} mentorships formed, "
        f"{board.stages['sessions'].created:,} sessions logged, "
        f"{board.stages['surveys'].created:,} surveys answered, "
        f"{board.stages['assessments'].created:,} figures assessed, "
        f"{_done(board, 'changes')} records changed afterwards."
    )


def _done(board: Board, stage: str) -> str:
    return f"{board.stages[stage].done:,}"


def _tell(found: Audit) -> None:
    if found.planned != found.found:
        say(f"FAILED: the log is not complete.\n  planned {found.planned}\n  found   {found.found}")
    elif found.differences:
        console.print(_differences(found))
        say(f"FAILED: {len(found.differences)} of {found.compared:,} figures differ.")
    else:
        say(
            f"PASSED: {found.compared:,} figures served by the API equal the recount from "
            f"{found.records:,} records of the log."
        )


def _differences(found: Audit) -> Table:
    made = Table("indicator", "form", "unit", "served", "recounted")
    for difference in found.differences[:_MOST_SHOWN]:
        made.add_row(*msgspec.structs.astuple(difference))
    return made


def _remember(root: Path, sample: Sample) -> Sample:
    """The region of an earlier run as it was then, or this one, noted down."""
    note = root / _NOTE
    if not note.exists():
        root.mkdir(parents=True, exist_ok=True)
        note.write_bytes(msgspec.json.encode(sample))
        return sample
    stored = msgspec.json.decode(note.read_bytes(), type=Sample)
    if (stored.seed, stored.scale) != (sample.seed, sample.scale):
        raise OtherSampleError(
            f"{root} holds scale {stored.scale} of seed {stored.seed}; "
            "use --fresh to begin anew, or another --data-dir"
        )
    return stored


def _empty(root: Path) -> None:
    """Remove what runs have left, and nothing else; RootBusyError while one goes on."""
    with Keeper.open(root):
        for name in ("postgres", "kafka", "imports", "packages"):
            shutil.rmtree(root / name, ignore_errors=True)
        (root / _NOTE).unlink(missing_ok=True)
