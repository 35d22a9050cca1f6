"""A checked package → the registry, all of it or nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import clock
from nastavnik_common.outbox import Outbox
from nastavnik_registry import aggregates
from nastavnik_registry.imports import deltas, people, units, unitstore
from nastavnik_registry.imports.findings import FileReport
from nastavnik_registry.imports.limits import Limits
from nastavnik_registry.imports.notes import Notes
from nastavnik_registry.imports.package import Package, open_package
from nastavnik_registry.imports.units import Known, Under

Progress = Callable[[str, int, int], None]  # phase, done, total


class Plan(NamedTuple):
    source: str
    under: UUID | None
    path: Path
    limits: Limits
    files: tuple[FileReport, ...]


class Counts(NamedTuple):
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    vanished: int = 0


async def apply(
    tx: AsyncSession, outbox: Outbox, plan: Plan, notes: Notes, progress: Progress
) -> dict[str, Counts]:
    """Bring the registry to what a package says of its source.

    Raises RejectedError when `notes` name a fault; roll back then.
    """
    modes = {file.name: file.mode for file in plan.files}
    if len({modes[file] for file in people.FILES if file in modes}) > 1:
        message = "users, roles and demographics come all in bulk or all as changes"
        notes.add("import.mixed_modes", people.USERS, None, "", message)
    notes.check()
    await tx.execute(
        sql("select pg_advisory_xact_lock(hashtextextended(:source, 17))"), {"source": plan.source}
    )
    with open_package(plan.path, plan.limits) as package:
        run = _Run(tx, outbox, plan, package, modes, notes, progress)
        known = await units.known(tx, plan.source)
        organizations = participants = Counts()
        if units.FILE in modes:
            organizations, known = await run.organizations(known)
        if any(file in modes for file in people.FILES):
            participants = await run.participants(known)
    return {"organizations": organizations, "participants": participants}


class _Run(NamedTuple):
    tx: AsyncSession
    outbox: Outbox
    plan: Plan
    package: Package
    modes: dict[str, str]
    notes: Notes
    progress: Progress

    async def organizations(self, before: dict[str, Known]) -> tuple[Counts, dict[str, Known]]:
        """What was done, and all units known then."""
        self.progress("organizations", 0, 0)
        rows = units.read(self.package, self.notes)
        under = await _under(self.tx, self.plan.under, self.notes)
        found = units.resolve(rows, before, under, self.notes)
        self.notes.check()
        today = clock.now().date()
        added, changed = await unitstore.apply(
            self.tx, self.outbox, self.plan.source, found, before, today
        )
        bulk = self.modes[units.FILE] == "bulk"
        vanished = len(before.keys() - rows.keys()) if bulk else 0
        known = {one.outside: Known(one.id, one.level, one.kind, one.hash) for one in found}
        return Counts(added, changed, len(found) - added - changed, vanished), before | known

    async def participants(self, known: dict[str, Known]) -> Counts:
        today = clock.now().date()
        rows = {file.name: file.rows for file in self.plan.files}
        total = max(rows.get(file, 0) for file in people.FILES)
        self.progress("staging", 0, total)
        present = await people.stage(self.tx, self.package, known, today, self.notes)
        self.notes.check()

        def tick(done: int) -> None:
            self.progress("participants", done, total)

        where = (self.tx, self.outbox, self.plan.source)
        if self.modes.get(people.USERS) == "bulk":
            counts = await people.apply(*where, present, self.notes, tick)
            vanished = await people.vanished(self.tx, self.plan.source)
        else:
            counts = await deltas.apply(*where, today, self.notes, tick)
            vanished = 0
        self.notes.check()
        return Counts(*counts, vanished)


async def _under(tx: AsyncSession, ident: UUID | None, notes: Notes) -> Under | None:
    if ident is None:
        return None
    levels = await aggregates.levels(tx, [ident])
    if ident not in levels:
        notes.add("import.under_unknown", units.FILE, None, "", "the unit named by `under` is gone")
        return None
    return Under(ident, levels[ident])
