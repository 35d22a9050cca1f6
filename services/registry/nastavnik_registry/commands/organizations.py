"""Writes of org units."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_common.events import ORGANIZATION
from nastavnik_common.events.registry import Placement
from nastavnik_common.outbox import Outbox
from nastavnik_common.writing import Reply
from nastavnik_registry import aggregates, bodies, domain
from nastavnik_registry.aggregates import refs, states, units
from nastavnik_registry.aggregates.units import Unit
from nastavnik_registry.tables import (
    OrgUnit,
    PersonMembership,
    ProgrammeRow,
    ReferenceCountRow,
    TargetRow,
    UnitPlacement,
)

KIND = "organization"
PLAIN = ("kind", "name", "short_name", "oktmo", "inn", "ogrn")


async def create(tx: AsyncSession, outbox: Outbox, body: bodies.NewOrganization) -> Reply:
    """Register a unit: 201, or 200 with the stored one when it is the same again."""
    ident = body.id or uuid4()
    if body.id is not None:
        await aggregates.reserve(tx, ident)
        stored = await aggregates.find(tx, OrgUnit, ident)
        if stored is not None:
            return await _again(tx, stored, body)
    row = OrgUnit(
        id=ident,
        version=1,
        level=body.level,
        **{name: getattr(body, name) for name in PLAIN},
    )
    unit = Unit(row, _placements(body) or (), refs.refs(body.external_ids))
    await _check(tx, unit)
    tx.add(row)
    await tx.flush()
    await units.save_placements(tx, ident, unit.placements)
    await refs.save_refs(tx, KIND, ident, (), unit.external_ids)
    state = states.organization_state(row, unit.placements)
    await outbox.add(tx, outbox.event(ORGANIZATION, "registered", state))
    return _reply(unit, 201)


async def _again(tx: AsyncSession, row: OrgUnit, body: bodies.NewOrganization) -> Reply:
    unit = await units.unit(tx, row)
    same = (
        not row.deleted
        and row.level == body.level
        and all(getattr(row, name) == getattr(body, name) for name in PLAIN)
        and unit.placements == (_placements(body) or ())
        and unit.external_ids == refs.refs(body.external_ids)
    )
    if not same:
        raise ConflictError("organization.id_conflict", "The id names another organisation.")
    return _reply(unit, 200)


async def change(
    tx: AsyncSession,
    outbox: Outbox,
    ident: UUID,
    body: bodies.OrganizationPatch,
    expected: int | None,
) -> Reply:
    """Merge the fields given. What changes nothing keeps the version and emits nothing."""
    row = await aggregates.live(tx, OrgUnit, KIND, ident, "change")
    aggregates.check_version(row.version, expected)
    before = await units.unit(tx, row)
    old = [getattr(row, name) for name in PLAIN]
    for name in body.model_fields_set & set(PLAIN):
        setattr(row, name, getattr(body, name))
    placements = _placements(body)
    after = Unit(
        row,
        before.placements if placements is None else placements,
        refs.refs(body.external_ids)
        if "external_ids" in body.model_fields_set
        else before.external_ids,
    )
    if before[1:] == after[1:] and old == [getattr(row, name) for name in PLAIN]:
        return _reply(before, 200)
    await _check(tx, after)
    aggregates.step(row)
    await tx.flush()
    if before.placements != after.placements:
        await units.save_placements(tx, ident, after.placements)
    await refs.save_refs(tx, KIND, ident, before.external_ids, after.external_ids)
    state = states.organization_state(row, after.placements)
    await outbox.add(tx, outbox.event(ORGANIZATION, "changed", state))
    return _reply(after, 200)


async def delete(tx: AsyncSession, outbox: Outbox, ident: UUID, expected: int | None) -> Reply:
    """Retract a unit that should never have existed. Not while anything stands under it."""
    row = await aggregates.live(tx, OrgUnit, KIND, ident, "delete")
    aggregates.check_version(row.version, expected)
    await _check_unused(tx, ident)
    before = await units.unit(tx, row)
    aggregates.step(row, deleted=True)
    await tx.flush()
    await units.save_placements(tx, ident, ())
    await refs.save_refs(tx, KIND, ident, before.external_ids, ())
    await outbox.add(tx, outbox.tombstone(ORGANIZATION, ident, row.version))
    return Reply(bodies.Deleted(id=ident, version=row.version), version=row.version)


async def _check(tx: AsyncSession, unit: Unit) -> None:
    row = unit.row
    domain.check_kind(row.level, row.kind)
    domain.check_codes(row.oktmo, row.inn, row.ogrn)
    parents = await aggregates.levels(tx, (p.parent_id for p in unit.placements))
    domain.check_placements(row.level, unit.placements, parents)


async def _check_unused(tx: AsyncSession, ident: UUID) -> None:
    users: Sequence[tuple[object, object, object]] = (
        (UnitPlacement.id, UnitPlacement.parent_id, None),
        (PersonMembership.id, PersonMembership.organization_id, None),
        *(
            (table.id, table.organization_id, table.deleted)
            for table in (TargetRow, ProgrammeRow, ReferenceCountRow)
        ),
    )
    for what, reference, gone in users:
        query = select(col(what)).where(col(reference) == ident).limit(1)
        if gone is not None:
            query = query.where(col(gone).is_(False))
        if (await tx.execute(query)).first() is not None:
            raise ConflictError(
                "organization.in_use", "The organisation has units, people or figures."
            )


def _placements(
    body: bodies.NewOrganization | bodies.OrganizationPatch,
) -> tuple[Placement, ...] | None:
    """The placements the body asks for; None: it does not speak of them."""
    by_parent = "parent_id" in body.model_fields_set
    by_list = "placements" in body.model_fields_set and body.placements is not None
    if by_parent and by_list and body.parent_id is not None:
        raise DomainError(
            "organization.parent_or_placements", "Give `parent_id` or `placements`, not both."
        )
    if by_list:
        return domain.ordered_placements(
            Placement(parent_id=p.parent_id, since=p.since, until=p.until)
            for p in body.placements or ()
        )
    if not by_parent:
        return None
    return (Placement(parent_id=body.parent_id),) if body.parent_id else ()


def _reply(unit: Unit, status: int) -> Reply:
    place = f"/organizations/{unit.row.id}" if status == 201 else None
    return Reply(states.organization_body(unit), status, unit.row.version, place)
