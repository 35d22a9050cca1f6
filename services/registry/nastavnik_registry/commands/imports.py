"""Decisions about imports: apply, confirm, discard, undo; and the sources they come from."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, null, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_common.auth_scope import caller
from nastavnik_common.errors import ConflictError, NotFoundError, StaleVersionError
from nastavnik_common.writing import Reply
from nastavnik_registry import bodies
from nastavnik_registry.aggregates.imports import job_body, mark, source_body
from nastavnik_registry.tables import (
    ExternalId,
    ImportChange,
    ImportJob,
    ImportQuarantine,
    ImportSource,
)

WAITING = ("planned", "held")
_AGAIN = {
    "status": "queued",
    "phase": "queued",
    "done": 0,
    "total": 0,
    "attempts": 0,
    "finished_at": None,
}


async def apply(tx: AsyncSession, ident: UUID) -> Reply:
    """Queue what a dry run has planned. Raises ConflictError when the data has changed since."""
    job = await _job(tx, ident, "planned")
    return await _requeue(tx, job, dry_run=False)


async def confirm(tx: AsyncSession, ident: UUID) -> Reply:
    """Queue what was held, to be applied in spite of the share it removes."""
    job = await _job(tx, ident, "held")
    return await _requeue(tx, job, dry_run=False, confirmed=True)


async def discard(tx: AsyncSession, ident: UUID) -> Reply:
    """Give up what was planned or held."""
    job = await _job(tx, ident, *WAITING)
    await _forget_plan(tx, ident)
    now = clock.now()
    return await _set(
        tx, job, status="discarded", phase="discarded", finished_at=now, decided_by=caller()
    )


async def _job(tx: AsyncSession, ident: UUID, *statuses: str) -> ImportJob:
    query = select(ImportJob).where(col(ImportJob.id) == ident).with_for_update()
    job = (await tx.execute(query)).scalar_one_or_none()
    if job is None:
        raise NotFoundError("import", ident)
    if job.status not in statuses:
        raise ConflictError(
            f"import.not_{statuses[0]}", f"The import is {job.status}, not {' or '.join(statuses)}."
        )
    return job


async def _requeue(tx: AsyncSession, job: ImportJob, **values: Any) -> Reply:
    if job.mark != await mark(tx, job.source):
        raise ConflictError(
            "import.stale", "The records or the source have changed since; send the package again."
        )
    return await _set(tx, job, **_AGAIN, **values, decided_by=caller())


async def _set(tx: AsyncSession, job: ImportJob, **values: Any) -> Reply:
    for name, value in values.items():
        setattr(job, name, value)
    await tx.flush()
    return Reply(job_body(job), 202 if job.status == "queued" else 200)


async def undo(tx: AsyncSession, ident: UUID) -> Reply:
    """Queue the undoing of an import, as an import of its own."""
    job = await _job(tx, ident, "completed")
    if job.undone_by is not None:
        raise ConflictError("import.undone", "The import has been undone.")
    query = select(col(ImportJob.id)).where(
        col(ImportJob.undoes) == ident, col(ImportJob.status).in_(("queued", "applying"))
    )
    if (await tx.execute(query.limit(1))).first() is not None:
        raise ConflictError("import.being_undone", "The import is being undone.")
    row = ImportJob(
        id=uuid4(),
        source=job.source,
        size_bytes=0,
        status="queued",
        phase="queued",
        done=0,
        total=0,
        undoes=ident,
        created_by=caller(),
    )
    tx.add(row)
    await tx.flush()
    await tx.refresh(row)
    return Reply(job_body(row), 202, location=f"/imports/{row.id}")


async def expire(tx: AsyncSession, days: int) -> int:
    """Give up what has waited for a decision for so many days; returns how many."""
    statement = (
        select(ImportJob)
        .where(
            col(ImportJob.status).in_(WAITING),
            col(ImportJob.finished_at) < clock.now() - timedelta(days=days),
        )
        .with_for_update(skip_locked=True)
    )
    jobs = list((await tx.execute(statement)).scalars())
    for job in jobs:
        await _forget_plan(tx, job.id)
        await _set(tx, job, status="discarded", phase="discarded")
    return len(jobs)


async def _forget_plan(tx: AsyncSession, ident: UUID) -> None:
    await tx.execute(delete(ImportChange).where(col(ImportChange.import_id) == ident))
    await tx.execute(delete(ImportQuarantine).where(col(ImportQuarantine.import_id) == ident))


async def forget(tx: AsyncSession, kind: str, ids: Sequence[UUID]) -> None:
    """Empty what imports keep of people who are deleted; call it while their outside ids are
    there. That a line of a file made the record stays known."""
    change, aside, ref = ImportChange, ImportQuarantine, ExternalId
    await tx.execute(
        update(change)
        .where(col(change.entity_id).in_(ids))
        .values(before=null(), after=null(), outside="")
    )
    await tx.execute(
        delete(aside).where(
            col(aside.source) == ref.source,
            col(aside.kind) == ref.kind,
            col(aside.outside) == ref.external_id,
            col(ref.kind) == kind,
            col(ref.entity_id).in_(ids),
        )
    )


async def forget_fields(tx: AsyncSession, ident: UUID, names: Sequence[str]) -> None:
    """Take fields of one person out of what imports keep."""
    await tx.execute(_FORGET_FIELDS, {"ident": ident, "names": list(names)})


_FORGET_FIELDS = text(
    """
    update import_change set before = before - cast(:names as text[]),
                             after = after - cast(:names as text[])
    where entity_id = :ident
    """
)


async def put_source(
    tx: AsyncSession, code: str, body: bodies.NewImportSource, expected: int | None
) -> Reply:
    """Describe a source: 201, or 200 when it was known. The same again keeps the version."""
    query = select(ImportSource).where(col(ImportSource.code) == code).with_for_update()
    row = (await tx.execute(query)).scalar_one_or_none()
    values = body.model_dump(mode="json")
    status = 200
    if row is None:
        row, status = ImportSource(code=code, version=1, **values), 201
        tx.add(row)
    elif expected is not None and expected != row.version:
        raise StaleVersionError(row.version)
    elif any(getattr(row, name) != value for name, value in values.items()):
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1
        row.changed_at = clock.now()
    await tx.flush()
    place = f"/import-sources/{code}" if status == 201 else None
    return Reply(source_body(row), status, row.version, place)
