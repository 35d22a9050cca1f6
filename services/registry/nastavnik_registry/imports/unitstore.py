"""Org units compared with what is stored, and written in bulk with their events."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db
from nastavnik_common.events import ORGANIZATION
from nastavnik_common.events.registry import Placement
from nastavnik_registry import domain
from nastavnik_registry.aggregates import states
from nastavnik_registry.imports.ledger import Place, Target, differing
from nastavnik_registry.imports.notes import UNIT
from nastavnik_registry.imports.units import FILE, Found, Known

PLAIN = ("kind", "name", "oktmo", "code")


class Write(NamedTuple):
    """One unit to be written: a new one has version 1."""

    id: UUID
    version: int
    level: str
    kind: str | None
    name: str
    oktmo: str | None
    code: str | None
    placements: tuple[Placement, ...]


async def apply(
    target: Target, found: Collection[Found], before: Mapping[str, Known]
) -> tuple[int, int]:
    """Write what differs. Returns how many units are new, and how many changed."""
    tx, ledger = target.tx, target.ledger
    new = [one for one in found if one.outside not in before]
    marked = [o for o in found if o.outside in before and before[o.outside].hash != o.hash]
    stored = await units_stored(tx, [one.id for one in marked], lock=not ledger.dry)
    writes = [_new(one) for one in new]
    changes = []
    ledger.added(UNIT, [(one.id, Place(one.outside, FILE, one.line)) for one in new])
    for one in marked:
        row, placements = stored[one.id]
        write = _changed(one, row, placements, target)
        if write is not None:
            changes.append(write)
            _record(target, one, before[one.outside], row, placements, write)
    await ledger.flush(tx)
    if not ledger.dry:
        await _insert(tx, target.source, new, writes)
        await _mark(tx, target.source, marked)
        await write_units(target, writes, changes)
    return len(writes), len(changes)


async def write_units(target: Target, new: Sequence[Write], changes: Sequence[Write]) -> None:
    """Units whose rows are there if they are new, with their placements and events."""
    await _update(target.tx, changes)
    await _replace_placements(target.tx, new, changes)
    events = [target.outbox.event(ORGANIZATION, "registered", _state(w)) for w in new]
    events += [target.outbox.event(ORGANIZATION, "changed", _state(w)) for w in changes]
    if events:
        await target.outbox.copy(target.tx, events)


def fields(row: Any, placements: tuple[Placement, ...]) -> dict[str, Any]:
    """What an import may change of a unit."""
    return {"kind": row.kind, "name": row.name, "oktmo": row.oktmo, "code": row.code} | {
        "placements": placements
    }


def _record(
    target: Target,
    one: Found,
    known: Known,
    row: Any,
    placements: tuple[Placement, ...],
    write: Write,
) -> None:
    old, new = differing(fields(row, placements), fields(write, write.placements))
    action = "moved" if "placements" in old else "changed"
    place = Place(one.outside, FILE, one.line)
    target.ledger.add(UNIT, action, one.id, write.version, place, old, new, hash=known.hash)


def _state(write: Write) -> Any:
    return states.organization_state(write, write.placements)


def _new(one: Found) -> Write:
    placements = (Placement(parent_id=one.parent),) if one.parent else ()
    return Write(one.id, 1, one.level, one.kind, one.name, one.oktmo, one.code, placements)


def _changed(
    one: Found, row: "Stored", placements: tuple[Placement, ...], target: Target
) -> Write | None:
    """What the package does not say stays as it is. None: nothing differs."""
    moved = domain.moved(placements, one.parent, target.today) if one.parent else placements
    before = (row.kind, row.name, row.oktmo, row.code, placements)
    after = (one.kind, one.name, one.oktmo or row.oktmo, one.code or row.code, moved)
    if before == after:
        return None
    return Write(one.id, row.version + 1, one.level, *after)


class Stored(NamedTuple):
    id: UUID
    version: int
    level: str
    kind: str | None
    name: str
    oktmo: str | None
    code: str | None


async def units_stored(
    tx: AsyncSession, ids: list[UUID], *, lock: bool = True
) -> dict[UUID, tuple[Stored, tuple[Placement, ...]]]:
    """Live units as they are, locked against other changes until the transaction ends."""
    raw = await db.driver(tx)
    rows = await raw.fetch(
        f"select {', '.join(Stored._fields)} from org_unit"  # noqa: S608 - names of columns
        " where id = any($1) and not deleted order by id" + " for no key update" * lock,
        ids,
    )
    places = await raw.fetch(
        "select unit_id, parent_id, since, until from placement where unit_id = any($1)", ids
    )
    found: dict[UUID, list[Placement]] = {}
    for unit_id, parent_id, since, until in places:
        found.setdefault(unit_id, []).append(
            Placement(parent_id=parent_id, since=since, until=until)
        )
    return {
        row["id"]: (Stored(*row), domain.ordered_placements(found.get(row["id"], ())))
        for row in rows
    }


async def _insert(tx: AsyncSession, source: str, new: list[Found], writes: list[Write]) -> None:
    if not new:
        return
    raw = await db.driver(tx)
    await raw.copy_records_to_table(
        "org_unit",
        records=[(w.id, 1, False, w.level, w.kind, w.name, w.oktmo, w.code) for w in writes],
        columns=["id", "version", "deleted", "level", "kind", "name", "oktmo", "code"],
    )
    await raw.copy_records_to_table(
        "external_id",
        records=[(source, "organization", one.outside, one.id, one.hash) for one in new],
        columns=["source", "kind", "external_id", "entity_id", "content_hash"],
    )


async def _update(tx: AsyncSession, changes: Sequence[Write]) -> None:
    raw = await db.driver(tx)
    await raw.execute(
        "update org_unit o set version = n.version, kind = n.kind, name = n.name,"
        " oktmo = n.oktmo, code = n.code, changed_at = now()"
        " from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[])"
        " n(id, version, kind, name, oktmo, code) where o.id = n.id",
        *db.columns([(w.id, w.version, w.kind, w.name, w.oktmo, w.code) for w in changes], 6),
    )


async def _mark(tx: AsyncSession, source: str, marked: list[Found]) -> None:
    raw = await db.driver(tx)
    await raw.execute(
        "update external_id e set content_hash = n.hash"
        " from unnest($2::text[], $3::bytea[]) n(outside, hash)"
        " where e.source = $1 and e.kind = 'organization' and e.external_id = n.outside",
        source,
        *db.columns([(one.outside, one.hash) for one in marked], 2),
    )


async def _replace_placements(
    tx: AsyncSession, writes: Sequence[Write], changes: Sequence[Write]
) -> None:
    raw = await db.driver(tx)
    await raw.execute("delete from placement where unit_id = any($1)", [w.id for w in changes])
    await raw.copy_records_to_table(
        "placement",
        records=[
            (w.id, p.parent_id, p.since, p.until) for w in (*writes, *changes) for p in w.placements
        ],
        columns=["unit_id", "parent_id", "since", "until"],
    )
