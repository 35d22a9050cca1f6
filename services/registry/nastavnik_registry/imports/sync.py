"""A checked package → the registry: all of it, or all but what is set aside, or only a plan."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import clock
from nastavnik_common.outbox import Outbox
from nastavnik_registry import aggregates
from nastavnik_registry.aggregates.imports import mark as mark_of
from nastavnik_registry.imports import (
    columnar,
    deltas,
    people,
    quarantine,
    removal,
    units,
    unitstore,
)
from nastavnik_registry.imports.codes import Policy
from nastavnik_registry.imports.findings import FileReport
from nastavnik_registry.imports.ledger import Ledger, Target
from nastavnik_registry.imports.limits import Limits
from nastavnik_registry.imports.notes import PERSON, UNIT, Notes
from nastavnik_registry.imports.package import Package, open_package
from nastavnik_registry.imports.units import Known, Under

Progress = Callable[[str, int, int], None]  # phase, done, total
_SOME = 2  # changes that a breaker never holds: a share of a handful says nothing


class Plan(NamedTuple):
    """`mark` is of the data a dry run has seen; it must be the same still. `dry`: write nothing
    but the difference. `confirmed`: the breaker has been overruled. `frames`: what was read when
    the package was checked."""

    import_id: UUID
    source: str
    under: UUID | None
    path: Path
    limits: Limits
    files: tuple[FileReport, ...]
    policy: Policy
    frames: columnar.Frames
    dry: bool = False
    confirmed: bool = False
    mark: str | None = None


class Counts(NamedTuple):
    """`moved` and `ended` are among the `changed`."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    vanished: int = 0
    moved: int = 0
    ended: int = 0
    deleted: int = 0
    kept: int = 0


class Outcome(NamedTuple):
    """`held`: what the breaker says, if anything. `mark` is of the data before,
    of a dry run."""

    counts: dict[str, Counts]
    held: dict[str, object] | None
    quarantined: int
    mark: str | None


class StaleError(Exception):
    """The data is not what the dry run has seen."""


class HeldError(Exception):
    """The breaker stopped the import; nothing was written."""


async def lock(tx: AsyncSession, source: str) -> None:
    """One writer of a source at a time."""
    statement = sql("select pg_advisory_xact_lock(hashtextextended(:source, 17))")
    await tx.execute(statement, {"source": source})


async def apply(
    tx: AsyncSession, outbox: Outbox, plan: Plan, notes: Notes, progress: Progress
) -> Outcome:
    """Bring the registry to what a package says of its source.

    Raises RejectedError when `notes` name a fault that cannot be set aside, HeldError and
    StaleError; roll back then.
    """
    modes = {file.name: file.mode for file in plan.files}
    if len({modes[file] for file in people.FILES if file in modes}) > 1:
        message = "users, roles and demographics come all in bulk or all as changes"
        notes.add("import.mixed_modes", people.USERS, None, "", message)
    notes.check()
    await lock(tx, plan.source)
    # of all that the source has named: only where somebody decides by it, now or later
    mark = await mark_of(tx, plan.source) if plan.dry or plan.mark else None
    if plan.mark not in (None, mark):
        raise StaleError
    size = await _people(tx, plan.source)
    target = Target(
        tx, outbox, plan.source, clock.now().date(), Ledger(plan.import_id, dry=plan.dry)
    )
    await quarantine.begin(tx, plan.import_id)
    with open_package(plan.path, plan.limits) as package:
        counts = await _Run(target, plan, package, modes, notes, progress).run()
    held = _breaker(plan, modes, counts[PERSON], size)
    if held and not plan.dry and not plan.confirmed:
        raise HeldError
    aside = await quarantine.store(target, notes)
    named = {"organizations": counts[UNIT], "participants": counts[PERSON]}
    return Outcome(named, held, aside, mark)


async def _people(tx: AsyncSession, source: str) -> int:
    query = "select count(*) from external_id where source = :source and kind = 'participant'"
    return int((await tx.execute(sql(query), {"source": source})).scalar_one())


def _breaker(
    plan: Plan, modes: dict[str, str], counts: Counts, size: int
) -> dict[str, object] | None:
    """What is wrong with the share of people that a bulk takes out."""
    removed = counts.ended + counts.deleted
    limit = plan.policy.breaker_percent
    if modes.get(people.USERS) != "bulk" or removed <= _SOME or removed * 100 <= limit * size:
        return None
    return {
        "code": "import.too_many_removed",
        "removed": removed,
        "known": size,
        "limit_percent": limit,
    }


class _Run(NamedTuple):
    target: Target
    plan: Plan
    package: Package
    modes: dict[str, str]
    notes: Notes
    progress: Progress

    async def run(self) -> dict[str, Counts]:
        known = await units.known(self.target.tx, self.plan.source)
        found = {UNIT: Counts(), PERSON: Counts()}
        if units.FILE in self.modes:
            found[UNIT], known = await self.organizations(known)
        if any(file in self.modes for file in people.FILES):
            found[PERSON] = await self.participants(known)
        return found

    async def organizations(self, before: dict[str, Known]) -> tuple[Counts, dict[str, Known]]:
        """What was done, and all units known then."""
        self.progress("organizations", 0, 0)
        rows = units.read(self.package, self.plan.policy, before, self.notes)
        under = await _under(self.target.tx, self.plan.under, self.notes)
        found = units.resolve(rows, before, under, self.notes)
        self.notes.check()
        added, changed = await unitstore.apply(self.target, found, before)
        await quarantine.release_units(self.target, [one.outside for one in found])
        bulk = self.modes[units.FILE] == "bulk"
        gone = before.keys() - rows.keys() - self.notes.left_out[UNIT] if bulk else ()
        known = {one.outside: Known(one.id, one.level, one.kind, one.hash) for one in found}
        moved = self.target.ledger.count(UNIT, "moved")
        counts = Counts(added, changed, len(found) - added - changed, len(gone), moved)
        return counts, before | known

    async def participants(self, known: dict[str, Known]) -> Counts:
        target, notes, policy = self.target, self.notes, self.plan.policy
        rows = {file.name: file.rows for file in self.plan.files}
        total = max(rows.get(file, 0) for file in people.FILES)
        self.progress("staging", 0, total)

        def tick(done: int) -> None:
            self.progress("participants", done, total)

        read = await self.by_columns(known)
        if read is not None:
            counts, gone, came = await columnar.apply(target, read, notes, tick)
            vanished = await removal.vanish(target, policy.vanished, set(), gone)
            await quarantine.release_people(target, notes, came, bulk=True)
            return _people_counts(counts, vanished, target.ledger)
        staging = people.Staging(self.package, policy, known, target.today, notes)
        present = await people.stage(target.tx, staging)
        notes.check()
        vanished = 0
        bulk = self.modes.get(people.USERS) == "bulk"
        if bulk:
            counts = await people.apply(target, present, notes, tick)
            rule = "ignore" if notes.nameless else policy.vanished
            vanished = await removal.vanish(target, rule, notes.left_out[PERSON])
        else:
            counts = await deltas.apply(target, notes, tick)
        notes.check()
        came = await quarantine.staged(target)
        await quarantine.release_people(target, notes, came, bulk=bulk)
        return _people_counts(counts, vanished, target.ledger)

    async def by_columns(self, known: dict[str, Known]) -> columnar.People | None:
        """The people, if all of their files could be read so."""
        found = self.plan.frames.found
        if people.USERS not in found or any(
            f in self.modes and f not in found for f in people.FILES
        ):
            return None
        policy, today = self.plan.policy, self.target.today
        return await asyncio.to_thread(columnar.people, found, policy, known, today)


def _people_counts(written: tuple[int, int, int], vanished: int, ledger: Ledger) -> Counts:
    added, _, unchanged = written
    moved, ended, deleted = (ledger.count(PERSON, a) for a in ("moved", "ended", "deleted"))
    changed = ledger.count(PERSON, "changed", "moved", "ended")
    return Counts(added, changed, unchanged, vanished, moved, ended, deleted)


async def _under(tx: AsyncSession, ident: UUID | None, notes: Notes) -> Under | None:
    if ident is None:
        return None
    levels = await aggregates.levels(tx, [ident])
    if ident not in levels:
        notes.add("import.under_unknown", units.FILE, None, "", "the unit named by `under` is gone")
        return None
    return Under(ident, levels[ident])
