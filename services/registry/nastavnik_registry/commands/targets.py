"""Writes of targets: one live target per indicator, unit and school year."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import clock
from nastavnik_common.errors import ConflictError
from nastavnik_common.events import TARGET
from nastavnik_common.outbox import Outbox
from nastavnik_common.writing import Reply
from nastavnik_registry import aggregates, bodies
from nastavnik_registry.aggregates import states
from nastavnik_registry.tables import TargetRow

KIND = "target"


def _values(body: bodies.NewTarget | bodies.TargetPatch, names: set[str]) -> dict[str, Any]:
    """The row's columns that the named fields of a body set."""
    found = {name: getattr(body, name) for name in names - {"id", "school_year", "percent"}}
    if "school_year" in names:
        found["school_year"] = clock.parse_label(body.school_year)
    if "percent" in names:
        found["basis_points"] = int(body.percent * 100)
    return found


async def create(tx: AsyncSession, outbox: Outbox, body: bodies.NewTarget) -> Reply:
    """Set a target: 201, or 200 with the stored one when it is the same again."""
    ident = body.id or uuid4()
    values = _values(body, set(bodies.NewTarget.model_fields))
    if body.id is not None:
        await aggregates.reserve(tx, ident)
        stored = await aggregates.find(tx, TargetRow, ident)
        if stored is not None:
            if stored.deleted or any(getattr(stored, n) != v for n, v in values.items()):
                raise ConflictError("target.id_conflict", "The id names another target.")
            return _reply(stored, 200)
    await _check_unit(tx, body.organization_id)
    row = TargetRow(id=ident, version=1, **values)
    tx.add(row)
    await _flush(tx)
    await outbox.add(tx, outbox.event(TARGET, "set", states.target_state(row)))
    return _reply(row, 201)


async def change(
    tx: AsyncSession, outbox: Outbox, ident: UUID, body: bodies.TargetPatch, expected: int | None
) -> Reply:
    """Merge the fields given. What changes nothing keeps the version and emits nothing."""
    row = await aggregates.live(tx, TargetRow, KIND, ident, "change")
    aggregates.check_version(row.version, expected)
    values = _values(body, body.model_fields_set)
    if all(getattr(row, name) == value for name, value in values.items()):
        return _reply(row, 200)
    if "organization_id" in values:
        await _check_unit(tx, body.organization_id)
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    row.changed_at = clock.now()
    await _flush(tx)
    await outbox.add(tx, outbox.event(TARGET, "changed", states.target_state(row)))
    return _reply(row, 200)


async def delete(tx: AsyncSession, outbox: Outbox, ident: UUID, expected: int | None) -> Reply:
    row = await aggregates.live(tx, TargetRow, KIND, ident, "delete")
    aggregates.check_version(row.version, expected)
    row.version += 1
    row.deleted = True
    row.changed_at = clock.now()
    await tx.flush()
    await outbox.add(tx, outbox.tombstone(TARGET, ident, row.version))
    return Reply(bodies.Deleted(id=ident, version=row.version), version=row.version)


async def _check_unit(tx: AsyncSession, ident: UUID | None) -> None:
    if ident is not None:
        await aggregates.check_organizations(tx, [ident])


async def _flush(tx: AsyncSession) -> None:
    try:
        await tx.flush()
    except IntegrityError as error:
        if "target_live" not in str(error.orig):
            raise
        raise ConflictError(
            "target.exists", "There is a target for this indicator, unit and school year."
        ) from None


def _reply(row: TargetRow, status: int) -> Reply:
    place = f"/targets/{row.id}" if status == 201 else None
    return Reply(states.target_body(row), status, row.version, place)
