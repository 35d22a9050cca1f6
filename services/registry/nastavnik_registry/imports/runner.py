"""One import from its row to its end: check, apply, and say on the way how far it is."""

import asyncio
import contextlib
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from nastavnik_common import clock, db
from nastavnik_common.outbox import Outbox
from nastavnik_registry import tables
from nastavnik_registry.imports import codes, sync
from nastavnik_registry.imports.columnar import Frames
from nastavnik_registry.imports.findings import Report
from nastavnik_registry.imports.jobs import OPEN, finish, package_path
from nastavnik_registry.imports.ledger import Ledger, Target
from nastavnik_registry.imports.limits import Limits
from nastavnik_registry.imports.notes import Notes, RejectedError, divisible
from nastavnik_registry.imports.oneroster import check
from nastavnik_registry.imports.sync import HeldError, Outcome, Plan, StaleError
from nastavnik_registry.imports.undo import undo
from nastavnik_registry.settings import RegistrySettings
from nastavnik_registry.tables import ImportJob

_REPORT_SECONDS = 1.0
_FINDINGS_IN_PARTS = 10_000  # more faults are no matter of single records


class EndedError(Exception):
    """Somebody else has ended the job."""


class Runner:
    def __init__(self, settings: RegistrySettings, sessions: db.Sessions, ident: UUID) -> None:
        self._settings = settings
        self._sessions = sessions
        self._ident = ident
        self._outbox = Outbox(tables.outbox, settings.schema_base_url)
        self._progress = ("checking", 0, 0)
        self._written = self._progress

    async def run(self) -> None:
        async with self._sessions() as tx:
            job = await tx.get(ImportJob, self._ident)
        if job is None or job.status not in OPEN:
            return
        reporter = asyncio.create_task(self._report_progress())
        try:
            await (self._check_and_apply(job) if job.undoes is None else self._undo(job))
        except EndedError:
            pass
        finally:
            reporter.cancel()

    async def _check_and_apply(self, job: ImportJob) -> None:
        await self._move("checking")
        async with self._sessions() as tx:
            policy = await codes.policy(tx, job.source)
        limits = Limits(max_compressed=self._settings.import_max_bytes)
        if policy.partial:
            limits = msgspec.structs.replace(limits, max_findings=_FINDINGS_IN_PARTS)
        path = package_path(self._settings, self._ident)
        frames = Frames(self._settings.import_columns_max_bytes)
        words = policy.words
        report = await asyncio.to_thread(check, path, limits, self._checked, words, frames)
        if not report.valid and not (policy.partial and divisible(report)):
            await self._end("rejected", report=_document(report))
            return
        self._progress = ("applying", 0, 0)
        await self._move("applying")
        plan = Plan(
            *(self._ident, job.source, job.under, path, limits, report.files, policy, frames),
            dry=job.dry_run,
            confirmed=job.confirmed,
            mark=None if job.dry_run else job.mark,
        )
        await self._apply(plan, report)

    async def _apply(self, plan: Plan, report: Report) -> None:
        notes = Notes(report, partial=plan.policy.partial)
        try:
            await self._write(plan, report, notes, "planned" if plan.dry else "completed")
        except RejectedError:
            await self._end("rejected", report=_document(notes.on(report)))
        except StaleError:
            await self._end("failed", error="import.stale")
        except HeldError:
            # once more, for the difference by which somebody decides
            notes = Notes(report, partial=plan.policy.partial)
            await self._write(plan._replace(dry=True), report, notes, "held")

    async def _write(self, plan: Plan, report: Report, notes: Notes, status: str) -> None:
        """State, events and the end of the job in one transaction."""
        async with self._sessions.begin() as tx:
            outcome = await sync.apply(tx, self._outbox, plan, notes, self._applied)
            values = _values(outcome) | {"report": _document(notes.on(report))}
            await self._finish(tx, status, **values)

    async def _undo(self, job: ImportJob) -> None:
        assert job.undoes is not None
        await self._move("applying")
        async with self._sessions.begin() as tx:
            await sync.lock(tx, job.source)
            ledger = Ledger(self._ident, dry=False)
            target = Target(tx, self._outbox, job.source, clock.now().date(), ledger)
            counts = await undo(target, job.undoes, self._applied)
            undone = update(ImportJob).where(col(ImportJob.id) == job.undoes)
            await tx.execute(undone.values(undone_by=self._ident))
            await self._finish(tx, "completed", changes=_changes(counts))

    async def _finish(self, tx: Any, status: str, **values: Any) -> None:
        _, done, total = self._progress
        if not await finish(tx, self._ident, status=status, done=done, total=total, **values):
            raise EndedError

    async def _end(self, status: str, **values: Any) -> None:
        async with self._sessions.begin() as tx:
            await finish(tx, self._ident, status=status, **values)

    async def fail(self, code: str) -> None:
        await self._end("failed", error=code)

    async def _move(self, status: str) -> None:
        statement = (
            update(ImportJob)
            .where(col(ImportJob.id) == self._ident, col(ImportJob.status).in_(OPEN))
            .values(status=status, phase=status, done=0, total=0)
            .returning(col(ImportJob.id))
        )
        async with self._sessions.begin() as tx:
            if (await tx.execute(statement)).scalar_one_or_none() is None:
                raise EndedError

    def _checked(self, file: str, rows: int) -> None:
        self._progress = (f"checking {file}", rows, 0)

    def _applied(self, phase: str, done: int, total: int) -> None:
        self._progress = (f"applying {phase}", done, total)

    async def _report_progress(self) -> None:
        """Outside the import's own transaction, so that it is seen while that runs."""
        while True:
            await asyncio.sleep(_REPORT_SECONDS)
            if self._progress == self._written:
                continue
            self._written = self._progress
            phase, done, total = self._written
            statement = (
                update(ImportJob)
                .where(col(ImportJob.id) == self._ident, col(ImportJob.status).in_(OPEN))
                .values(phase=phase, done=done, total=total)
            )
            with contextlib.suppress(DBAPIError, OSError):
                async with self._sessions.begin() as tx:
                    await tx.execute(statement)


def _values(outcome: Outcome) -> dict[str, Any]:
    return {
        "changes": _changes(outcome.counts),
        "held": outcome.held,
        "quarantined": outcome.quarantined,
        "mark": outcome.mark,
    }


def _changes(counts: dict[str, sync.Counts]) -> dict[str, dict[str, int]]:
    return {kind: found._asdict() for kind, found in counts.items()}


def _document(report: Report) -> dict[str, object]:
    found: dict[str, object] = msgspec.to_builtins(report)
    return found
