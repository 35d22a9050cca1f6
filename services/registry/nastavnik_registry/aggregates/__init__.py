"""Aggregates and their rows: found, locked, put together, saved."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Select, delete, insert, select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.errors import ConflictError, DomainError, NotFoundError, StaleVersionError
from nastavnik_common.events.registry import Membership, Placement
from nastavnik_registry import bodies, domain
from nastavnik_registry.tables import (
    ExternalId,
    OrgUnit,
    Person,
    PersonMembership,
    UnitPlacement,
)

Lock = Literal["change", "delete"]
Refs = tuple[tuple[str, str], ...]


class Unit(NamedTuple):
    row: OrgUnit
    placements: tuple[Placement, ...]
    external_ids: Refs


class Individual(NamedTuple):
    row: Person
    memberships: tuple[Membership, ...]
    external_ids: Refs


def _locked(query: Select[Any], lock: Lock | None) -> Select[Any]:
    """A change lets others go on referring to the row, a deletion does not."""
    if lock is None:
        return query
    return query.with_for_update(key_share=lock == "change")


async def find(
    tx: AsyncSession, model: type[Any], ident: UUID, lock: Lock | None = None
) -> Any | None:
    """The row, deleted or not."""
    query = select(model).where(model.id == ident).execution_options(populate_existing=True)
    return (await tx.execute(_locked(query, lock))).scalar_one_or_none()


async def live(
    tx: AsyncSession, model: type[Any], kind: str, ident: UUID, lock: Lock | None = None
) -> Any:
    row = await find(tx, model, ident, lock)
    if row is None or row.deleted:
        raise NotFoundError(kind, ident)
    return row


async def reserve(tx: AsyncSession, ident: UUID) -> None:
    """Make a twin request with the same id wait for this transaction."""
    await tx.execute(
        sql("select pg_advisory_xact_lock(hashtextextended(:id, 11))"), {"id": str(ident)}
    )


def check_version(current: int, expected: int | None) -> None:
    if expected is not None and expected != current:
        raise StaleVersionError(current)


async def unit(tx: AsyncSession, row: OrgUnit) -> Unit:
    found = await placements_of(tx, [row.id])
    refs = await refs_of(tx, "organization", [row.id])
    return Unit(row, found.get(row.id, ()), refs.get(row.id, ()))


async def individual(tx: AsyncSession, row: Person) -> Individual:
    found = await memberships_of(tx, [row.id])
    refs = await refs_of(tx, "participant", [row.id])
    return Individual(row, found.get(row.id, ()), refs.get(row.id, ()))


async def placements_of(tx: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, tuple[Placement, ...]]:
    query = select(UnitPlacement).where(col(UnitPlacement.unit_id).in_(ids))
    found: dict[UUID, list[Placement]] = {}
    for row in (await tx.execute(query)).scalars():
        placement = Placement(parent_id=row.parent_id, since=row.since, until=row.until)
        found.setdefault(row.unit_id, []).append(placement)
    return {ident: domain.ordered_placements(rows) for ident, rows in found.items()}


async def memberships_of(
    tx: AsyncSession, ids: Sequence[UUID]
) -> dict[UUID, tuple[Membership, ...]]:
    query = select(PersonMembership).where(col(PersonMembership.participant_id).in_(ids))
    found: dict[UUID, list[Membership]] = {}
    for row in (await tx.execute(query)).scalars():
        membership = Membership(
            organization_id=row.organization_id,
            kind=row.kind,  # type: ignore[arg-type]
            primary=row.primary,
            since=row.since,
            until=row.until,
        )
        found.setdefault(row.participant_id, []).append(membership)
    return {ident: domain.ordered_memberships(rows) for ident, rows in found.items()}


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


async def save_placements(tx: AsyncSession, ident: UUID, placements: Iterable[Placement]) -> None:
    await tx.execute(delete(UnitPlacement).where(col(UnitPlacement.unit_id) == ident))
    rows = [
        {"unit_id": ident, "parent_id": p.parent_id, "since": p.since, "until": p.until}
        for p in placements
    ]
    if rows:
        await tx.execute(insert(UnitPlacement), rows)


async def save_memberships(
    tx: AsyncSession, ident: UUID, memberships: Iterable[Membership]
) -> None:
    await tx.execute(delete(PersonMembership).where(col(PersonMembership.participant_id) == ident))
    rows = [
        {
            "participant_id": ident,
            "organization_id": m.organization_id,
            "kind": m.kind,
            "primary": m.primary,
            "since": m.since,
            "until": m.until,
        }
        for m in memberships
    ]
    if rows:
        await tx.execute(insert(PersonMembership), rows)


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


async def levels(tx: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, str]:
    """id → level of the live units among `ids`, kept from deletion until the transaction ends."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    query = (
        select(col(OrgUnit.id), col(OrgUnit.level))
        .where(col(OrgUnit.id).in_(wanted), col(OrgUnit.deleted).is_(False))
        .order_by(col(OrgUnit.id))
        .with_for_update(read=True, key_share=True)
    )
    return {row.id: row.level for row in await tx.execute(query)}


async def check_organizations(tx: AsyncSession, ids: Iterable[UUID]) -> None:
    wanted = set(ids)
    if len(await levels(tx, wanted)) != len(wanted):
        raise DomainError("organization.unknown", "An organisation named in the body is unknown.")
