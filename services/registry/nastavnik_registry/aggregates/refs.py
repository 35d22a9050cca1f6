"""Ids that outside systems have for our records."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.errors import ConflictError
from nastavnik_registry import bodies
from nastavnik_registry.tables import ExternalId

Refs = tuple[tuple[str, str], ...]


async def refs_of(tx: AsyncSession, kind: str, ids: Sequence[UUID]) -> dict[UUID, Refs]:
    query = (
        select(ExternalId)
        .where(col(ExternalId.entity_id).in_(ids), col(ExternalId.kind) == kind)
        .order_by(col(ExternalId.source), col(ExternalId.external_id))
    )
    found: dict[UUID, list[tuple[str, str]]] = {}
    for row in (await tx.execute(query)).scalars():
        found.setdefault(row.entity_id, []).append((row.source, row.external_id))
    return {ident: tuple(refs) for ident, refs in found.items()}


def refs(given: Iterable[bodies.ExternalRef]) -> Refs:
    """Sorted; each pair once."""
    return tuple(sorted({(ref.source, ref.id) for ref in given}))


async def save_refs(tx: AsyncSession, kind: str, ident: UUID, old: Refs, new: Refs) -> None:
    """Replace the outside ids of a record. Raises ConflictError when one is another record's."""
    for source, outside in set(old) - set(new):
        await tx.execute(
            delete(ExternalId).where(
                col(ExternalId.source) == source,
                col(ExternalId.kind) == kind,
                col(ExternalId.external_id) == outside,
            )
        )
    for source, outside in sorted(set(new) - set(old)):
        taken = await tx.execute(_TAKE, {"s": source, "k": kind, "x": outside, "e": ident})
        if taken.one_or_none() is None:
            raise ConflictError("external_id.taken", "An external id names another record.")


_TAKE = sql(
    "insert into external_id (source, kind, external_id, entity_id) values (:s, :k, :x, :e)"
    " on conflict do nothing returning 1"
)
