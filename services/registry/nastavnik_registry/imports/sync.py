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
from nastavnik_registry.imports import people, units
from nastavnik_registry.imports.findings import FileReport
from nastavnik_registry.imports.limits import Limits
from nastavnik_registry.imports.notes import Notes
from nastavnik_registry.imports.package import open_package
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
    """Bring the registry to what a bulk package says of its source.

    Raises RejectedError when `notes` name a fault; roll back then.
    """
    for file in plan.files:
        if file.mode == "delta":
            message = "packages of changes are not applied yet; send a bulk package"
            notes.add("import.delta_not_supported", file.name, None, "", message)
    notes.check()
    await tx.execute(
        sql("select pg_advisory_xact_lock(hashtextextended(:source, 17))"), {"source": plan.source}
    )
    with open_package(plan.path, plan.limits) as package:
        before = await units.known(tx, plan.source)
        organizations = Counts()
        known = before
        if units.FILE in package.names:
            progress("organizations", 0, 0)
            rows = units.read(package, notes)
            found = units.resolve(rows, before, await _under(tx, plan.under, notes), notes)
            notes.check()
            today = clock.now().date()
            added, changed = await units.apply(tx, outbox, plan.source, found, before, today)
            vanished = len(before.keys() - rows.keys())
            unchanged = len(found) - added - changed
            organizations = Counts(added, changed, unchanged, vanished)
            known = before | {o.outside: Known(o.id, o.level, o.kind, o.hash) for o in found}
        participants = Counts()
        if people.USERS in package.names:
            total = next(file.rows for file in plan.files if file.name == people.USERS)
            progress("staging", 0, total)
            present = await people.stage(tx, package, known, clock.now().date(), notes)
            notes.check()
            counts = await people.apply(
                tx,
                outbox,
                plan.source,
                present,
                notes,
                lambda done: progress("participants", done, total),
            )
            notes.check()
            participants = Counts(*counts, await people.vanished(tx, plan.source))
    return {"organizations": organizations, "participants": participants}


async def _under(tx: AsyncSession, ident: UUID | None, notes: Notes) -> Under | None:
    if ident is None:
        return None
    levels = await aggregates.levels(tx, [ident])
    if ident not in levels:
        notes.add("import.under_unknown", units.FILE, None, "", "the unit named by `under` is gone")
        return None
    return Under(ident, levels[ident])
