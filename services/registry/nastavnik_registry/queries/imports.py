"""Reads of imports: how far they are, what they changed, what they set aside."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.errors import NotFoundError
from nastavnik_common.paging import Page, decode_cursor, encode_cursor
from nastavnik_registry import bodies
from nastavnik_registry.aggregates import trace
from nastavnik_registry.aggregates.imports import job_body as body
from nastavnik_registry.tables import ImportChange, ImportJob, ImportQuarantine


async def one(tx: AsyncSession, ident: UUID) -> bodies.Import:
    row = await tx.get(ImportJob, ident)
    if row is None:
        raise NotFoundError("import", ident)
    return body(row)


async def report(tx: AsyncSession, ident: UUID) -> dict[str, Any]:
    """What the check found. Raises NotFoundError also while there is no report."""
    row = await tx.get(ImportJob, ident)
    if row is None or row.report is None:
        raise NotFoundError("import_report", ident)
    return row.report


async def many(
    tx: AsyncSession,
    limit: int,
    cursor: str | None,
    *,
    source: str | None = None,
    status: str | None = None,
) -> Page[bodies.Import]:
    """The newest first."""
    created, ident = col(ImportJob.created_at), col(ImportJob.id)
    query = select(ImportJob)
    if source is not None:
        query = query.where(col(ImportJob.source) == source)
    if status is not None:
        query = query.where(col(ImportJob.status) == status)
    if cursor is not None:
        last = decode_cursor(cursor, tuple[Annotated[datetime, Meta(tz=True)], UUID])
        query = query.where(tuple_(created, ident) < last)
    query = query.order_by(created.desc(), ident.desc()).limit(limit + 1)
    rows = list((await tx.execute(query)).scalars())
    more = None
    if len(rows) > limit:
        more = encode_cursor(rows[limit - 1].created_at, rows[limit - 1].id)
    return Page(items=[body(row) for row in rows[:limit]], next_cursor=more)


async def changes(
    tx: AsyncSession,
    ident: UUID,
    limit: int,
    cursor: str | None,
    *,
    kind: str | None = None,
    action: str | None = None,
) -> Page[bodies.ImportedChange]:
    """In the order of the import."""
    await one(tx, ident)
    seq = col(ImportChange.seq)
    query = select(ImportChange).where(col(ImportChange.import_id) == ident)
    if kind is not None:
        query = query.where(col(ImportChange.kind) == kind)
    if action is not None:
        query = query.where(col(ImportChange.action) == action)
    if cursor is not None:
        (last,) = decode_cursor(cursor, tuple[int])
        query = query.where(seq > last)
    rows = list((await tx.execute(query.order_by(seq).limit(limit + 1))).scalars())
    more = encode_cursor(rows[limit - 1].seq) if len(rows) > limit else None
    _seen(rows[:limit])
    return Page(items=[change_body(row) for row in rows[:limit]], next_cursor=more)


def change_body(row: ImportChange) -> bodies.ImportedChange:
    fields = row.before if row.before is not None else row.after
    return bodies.ImportedChange(
        import_id=row.import_id,
        kind=row.kind,
        id=row.entity_id,
        external_id=row.outside,
        version=row.version,
        action=row.action,
        file=row.file,
        line=row.line,
        fields=sorted(fields or ()),
        before=row.before,
        after=row.after,
    )


async def history(tx: AsyncSession, kind: str, ident: UUID) -> list[bodies.ImportedChange]:
    """What imports did to a record, the newest first. Only what has happened: no plans."""
    query = (
        select(ImportChange)
        .join(ImportJob, col(ImportJob.id) == col(ImportChange.import_id))
        .where(
            col(ImportChange.entity_id) == ident,
            col(ImportChange.kind) == kind,
            col(ImportChange.version).is_not(None),
            col(ImportJob.status) == "completed",
        )
        .order_by(col(ImportChange.version).desc())
        .limit(1000)
    )
    rows = list((await tx.execute(query)).scalars())
    _seen(rows)
    return [change_body(row) for row in rows]


def _seen(rows: Iterable[ImportChange]) -> None:
    """What of people the page tells: what changed, and the outside id."""
    trace.seen(row.entity_id for row in rows if row.kind == "participant")


async def quarantine(
    tx: AsyncSession,
    limit: int,
    cursor: str | None,
    *,
    source: str | None = None,
    import_id: UUID | None = None,
    released: bool | None = None,
) -> Page[bodies.Quarantined]:
    """In the order they were set aside."""
    ident = col(ImportQuarantine.id)
    query = select(ImportQuarantine)
    if source is not None:
        query = query.where(col(ImportQuarantine.source) == source)
    if import_id is not None:
        query = query.where(col(ImportQuarantine.import_id) == import_id)
    if released is not None:
        by = col(ImportQuarantine.released_by)
        query = query.where(by.is_not(None) if released else by.is_(None))
    if cursor is not None:
        (last,) = decode_cursor(cursor, tuple[int])
        query = query.where(ident > last)
    rows = list((await tx.execute(query.order_by(ident).limit(limit + 1))).scalars())
    more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    items = [_aside_body(row) for row in rows[:limit]]
    return Page(items=items, next_cursor=more)


def _aside_body(row: ImportQuarantine) -> bodies.Quarantined:
    kept = row.model_dump(exclude={"id", "outside"})
    return bodies.Quarantined(external_id=row.outside, **kept)
