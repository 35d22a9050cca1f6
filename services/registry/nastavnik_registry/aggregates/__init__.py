"""Aggregates and their rows: found, locked, put together, saved."""

from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_common.errors import ConflictError, DomainError, NotFoundError, StaleVersionError
from nastavnik_registry.tables import OrgUnit, Person

Lock = Literal["change", "delete"]


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


def step(row: Any, *, deleted: bool = False) -> None:
    """The row's next version; `deleted`: its last."""
    row.version += 1
    row.deleted = deleted
    row.changed_at = clock.now()


async def flush(tx: AsyncSession, index: str, conflict: ConflictError) -> None:
    """Write what has changed. Raises `conflict` when the unique index has another live row."""
    try:
        await tx.flush()
    except IntegrityError as error:
        if index not in str(error.orig):
            raise
        raise conflict from None


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


async def check_participant(tx: AsyncSession, ident: UUID) -> Any:
    """The row of a live participant, kept from deletion until the transaction ends."""
    query = (
        select(Person)
        .where(col(Person.id) == ident, col(Person.deleted).is_(False))
        .with_for_update(read=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    row = (await tx.execute(query)).scalar_one_or_none()
    if row is None:
        raise DomainError("participant.unknown", "A participant named in the body is unknown.")
    return row
