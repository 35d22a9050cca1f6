"""Imports and their sources: their bodies, and the mark of what a source has named."""

from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_registry import bodies
from nastavnik_registry.tables import ImportJob, ImportSource

_HIDDEN = {"size_bytes", "attempts", "phase", "done", "total", "confirmed", "mark"}
_MARK = sql("""
    select concat(
        (select version from import_source where code = :source), '/', count(*), '/',
        bit_xor(hashtextextended(concat(v.id, ' ', v.version), 0)))
    from (
        select o.id, o.version from external_id e join org_unit o on o.id = e.entity_id
        where e.source = :source and e.kind = 'organization'
        union all
        select p.id, p.version from external_id e join participant p on p.id = e.entity_id
        where e.source = :source and e.kind = 'participant'
    ) v
""")


def job_body(row: ImportJob) -> bodies.Import:
    return bodies.Import.model_validate(
        {
            **row.model_dump(exclude=_HIDDEN),
            "progress": {"phase": row.phase, "done": row.done, "total": row.total},
        }
    )


def source_body(row: ImportSource) -> bodies.ImportSource:
    return bodies.ImportSource.model_validate(row.model_dump(exclude={"created_at"}))


async def mark(tx: AsyncSession, source: str) -> str:
    """Another one when the source's rules, or any record it has named, have changed."""
    return str((await tx.execute(_MARK, {"source": source})).scalar_one())
