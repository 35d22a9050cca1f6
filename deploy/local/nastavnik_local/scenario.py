"""The sample region at work, through the public HTTP API alone.

Packages are imported, municipality by municipality. As soon as one is in, its organisations start
their programmes and form mentorships; sessions are logged, surveys answered, figures assessed,
gatherings held; some of it is corrected and voided, some mentorships end. All ids follow from the
seed, so a second run finds everything there and changes nothing.
"""

import asyncio
import contextlib
from pathlib import Path

import msgspec

from nastavnik_local.sample import Municipality, Region
from nastavnik_local.scenario_api import Api
from nastavnik_local.scenario_board import Board
from nastavnik_local.scenario_fixes import fix
from nastavnik_local.scenario_programmes import send_headcounts_of_region, send_programmes
from nastavnik_local.scenario_records import send_records
from nastavnik_local.scenario_roster import (
    Units,
    import_municipality,
    import_territories,
    people_and_places,
    register_form,
    set_targets,
)
from nastavnik_local.scenario_watch import settle, watch
from nastavnik_local.scenario_work import Work, send_mentorships, send_sessions

_AT_ONCE = 3  # municipalities; the registry runs two imports at a time


class Scenario(msgspec.Struct, frozen=True):
    """`folder` takes the packages."""

    region: Region
    api: Api
    board: Board
    folder: Path

    async def play(self) -> Units:
        """From nothing to the settled figures; the board tells how it goes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.board.expect("packages", 1 + len(self.region.municipalities))
        units = await import_territories(self.region, self.api, self.board, self.folder)
        await register_form(self.api)
        await set_targets(self.region, units, self.api)
        await send_headcounts_of_region(self.region, units.region, self.api, self.board)
        watcher = asyncio.create_task(watch(self.region, units.region, self.api, self.board))
        try:
            await self._everything(units)
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
        await settle(self.region, units.region, self.api, self.board)
        self.board.finished = True
        return units

    async def _everything(self, units: Units) -> None:
        """Several municipalities at once: while one is imported, another is at work."""
        waiting = iter(self.region.municipalities)

        async def worker() -> None:
            for place in waiting:
                await import_municipality(
                    self.region, place, units, self.api, self.board, self.folder
                )
                await self._work(place, units.municipalities[place.sid])

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(worker())

    async def _work(self, place: Municipality, municipality: str) -> None:
        ids = await people_and_places(self.region, place, self.api)
        work = Work.of(self.region, place, {**ids, place.sid: municipality})
        async with asyncio.TaskGroup() as group:
            group.create_task(send_programmes(work, self.api, self.board))
            group.create_task(self._activity(work))

    async def _activity(self, work: Work) -> None:
        await send_mentorships(work, self.api, self.board)
        await send_sessions(work, self.api, self.board)
        await send_records(work, self.api, self.board)
        await fix(work, self.api, self.board)
