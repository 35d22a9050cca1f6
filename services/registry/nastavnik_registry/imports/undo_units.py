"""Org units of an import taken back."""

from collections.abc import Sequence
from typing import Any

import msgspec

from nastavnik_common import db
from nastavnik_common.errors import ConflictError
from nastavnik_common.events.registry import Placement
from nastavnik_registry import domain
from nastavnik_registry.commands import organizations
from nastavnik_registry.imports import unitstore
from nastavnik_registry.imports.ledger import Target
from nastavnik_registry.imports.notes import UNIT
from nastavnik_registry.imports.undo_rows import Change, kept, restored_versions

_MARK = (
    "update external_id set content_hash = $4 where source = $1 and kind = $2 and external_id = $3"
)


async def undo(target: Target, changes: Sequence[Change]) -> None:
    """Those changed become what they were; those added go, the lowest first, if nothing is under
    them."""
    ids = [change.entity_id for change in changes]
    stored = await unitstore.units_stored(target.tx, ids)
    restored = await restored_versions(target, ids)
    added: list[tuple[int, Change]] = []
    writes = []
    for change in changes:
        row, placements = stored.get(change.entity_id, (None, ()))
        reason = change.obstacle(row.version if row else None, restored)
        if row is None or reason:
            kept(target, UNIT, change, reason or "deleted")
        elif change.action == "added":
            added.append((domain.RANK[row.level], change))
        else:
            writes.append(_as_before(change, row, placements))
            change.record(target, UNIT, writes[-1].version, restored)
            await _mark(target, change)
    await unitstore.write_units(target, (), writes)
    for _, change in sorted(added, key=lambda pair: -pair[0]):
        await _delete(target, change)
    await target.ledger.flush(target.tx)


def _as_before(
    change: Change, row: unitstore.Stored, placements: tuple[Placement, ...]
) -> unitstore.Write:
    found: dict[str, Any] = msgspec.json.decode(change.before or "{}")
    if "placements" in found:
        found["placements"] = msgspec.convert(found["placements"], tuple[Placement, ...])
    fields = {**unitstore.fields(row, placements), **found}
    return unitstore.Write(row.id, row.version + 1, row.level, **fields)


async def _mark(target: Target, change: Change) -> None:
    raw = await db.driver(target.tx)
    await raw.execute(_MARK, target.source, UNIT, change.outside, change.hash)


async def _delete(target: Target, change: Change) -> None:
    try:
        reply = await organizations.delete(target.tx, target.outbox, change.entity_id, None)
    except ConflictError:
        kept(target, UNIT, change, "in_use")
        return
    target.ledger.add(UNIT, "deleted", change.entity_id, reply.version, change.place)
