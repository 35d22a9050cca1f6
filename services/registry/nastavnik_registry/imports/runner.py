"""One import from its row to its end: check, apply, and say on the way how far it is."""

import asyncio
import contextlib
from uuid import UUID

import msgspec
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from nastavnik_common import db
from nastavnik_common.outbox import Outbox
from nastavnik_registry import tables
from nastavnik_registry.imports.findings import Report
from nastavnik_registry.imports.jobs import OPEN, finish, package_path
from nastavnik_registry.imports.limits import Limits
from nastavnik_registry.imports.notes import Notes, RejectedError
from nastavnik_registry.imports.oneroster import check
from nastavnik_registry.imports.sync import Counts, Plan, apply
from nastavnik_registry.settings import RegistrySettings
from nastavnik_registry.tables import ImportJob

_REPORT_SECONDS = 1.0


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
            await self._check_and_apply(job)
        except EndedError:
            pass
        finally:
            reporter.cancel()

    async def _check_and_apply(self, job: ImportJob) -> None:
        await self._move("checking")
        limits = Limits(max_compressed=self._settings.import_max_bytes)
        path = package_path(self._settings, self._ident)
        report = await asyncio.to_thread(check, path, limits, self._checked)
        if not report.valid:
            await self._end("rejected", report)
            return
        self._progress = ("applying", 0, 0)
        await self._move("applying")
        notes = Notes()
        try:
            await self._apply(
                Plan(job.source, job.under, path, limits, report.files), report, notes
            )
        except RejectedError:
            await self._end("rejected", _with_notes(report, notes))

    async def _apply(self, plan: Plan, report: Report, notes: Notes) -> None:
        """State, events and the end of the job in one transaction."""
        async with self._sessions.begin() as tx:
            counts = await apply(tx, self._outbox, plan, notes, self._applied)
            ended = await finish(
                tx,
                self._ident,
                status="completed",
                report=_document(report),
                changes={kind: _counts(found) for kind, found in counts.items()},
                done=self._progress[1],
                total=self._progress[2],
            )
            if not ended:
                raise EndedError

    async def _end(self, status: str, report: Report) -> None:
        async with self._sessions.begin() as tx:
            await finish(tx, self._ident, status=status, report=_document(report))

    async def fail(self, code: str) -> None:
        async with self._sessions.begin() as tx:
            await finish(tx, self._ident, status="failed", error=code)

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


def _document(report: Report) -> dict[str, object]:
    found: dict[str, object] = msgspec.to_builtins(report)
    return found


def _counts(counts: Counts) -> dict[str, int]:
    return counts._asdict()


def _with_notes(report: Report, notes: Notes) -> Report:
    return msgspec.structs.replace(
        report, valid=False, findings=tuple(notes.findings), total=notes.total
    )
