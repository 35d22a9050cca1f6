"""An import taken back: what it changed becomes what it was, where nothing has changed it since.

What it added is deleted. What it deleted stays so: its personal data is gone. Undone imports undo
in turn: a version that an undo made counts as the one whose content it brought back.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from nastavnik_common import db
from nastavnik_common.events.registry import Membership
from nastavnik_registry.domain import privacy
from nastavnik_registry.imports import peoplestore, removal, undo_units
from nastavnik_registry.imports.ledger import Target
from nastavnik_registry.imports.notes import PERSON, UNIT
from nastavnik_registry.imports.sync import Counts, Progress
from nastavnik_registry.imports.undo_rows import Change, kept, restored_versions

CHUNK = 2000
_CHANGES = """
    select entity_id, version, action, outside, file, line, before::text, after::text, hash
    from import_change where import_id = $1 and kind = $2 and version is not null
    order by seq desc
"""
_UNUSABLE = """
    select curator_id, 'curator' from programme where curator_id = any($1) and not deleted
    union select participant_id, 'has_consents' from consent
    where participant_id = any($1) and not deleted
"""
_GONE = "select id from org_unit where id = any($1) and deleted"


async def undo(target: Target, of: UUID, progress: Progress) -> dict[str, Counts]:
    """Take an import back, people first: units that it added can go when nobody is in them."""
    raw = await db.driver(target.tx)
    total = await raw.fetchval("select count(*) from import_change where import_id = $1", of)
    done = 0
    cursor = await raw.cursor(_CHANGES, of, PERSON)
    while rows := await cursor.fetch(CHUNK):
        await _people(target, [Change(*row) for row in rows])
        done += len(rows)
        progress("undoing", done, total)
    units = [Change(*row) for row in await raw.fetch(_CHANGES, of, UNIT)]
    await undo_units.undo(target, units)
    progress("undoing", total, total)
    return {"organizations": _counts(target, UNIT), "participants": _counts(target, PERSON)}


def _counts(target: Target, kind: str) -> Counts:
    restored, deleted, left = (
        target.ledger.count(kind, action) for action in ("restored", "deleted", "kept")
    )
    return Counts(changed=restored, deleted=deleted, kept=left)


async def _people(target: Target, changes: Sequence[Change]) -> None:
    ids = [change.entity_id for change in changes]
    stored = await peoplestore.stored(target.tx, ids)
    restored = await restored_versions(target, ids)
    raw = await db.driver(target.tx)
    unusable = {row[0]: row[1] for row in await raw.fetch(_UNUSABLE, ids)}
    gone: dict[UUID, int] = {}
    writes: list[peoplestore.Write] = []
    marks: list[tuple[str, bytes | None]] = []
    closed = await _closed_units(target, changes)
    for change in changes:
        before = stored.get(change.entity_id)
        reason = change.obstacle(before.version if before else None, restored)
        if before is not None and change.action == "added":
            reason = unusable.get(change.entity_id) or reason
        if before is None or reason:
            kept(target, PERSON, change, reason or "deleted")
        elif change.action == "added":
            gone[change.entity_id] = before.version
            version = before.version + 1
            target.ledger.add(PERSON, "deleted", change.entity_id, version, change.place)
        else:
            write = _as_before(change, before)
            if any(m.organization_id in closed for m in write.memberships):
                kept(target, PERSON, change, "organization_deleted")
                continue
            change.record(target, PERSON, write.version, restored)
            writes.append(write)
            marks.append((change.outside, change.hash))
    await target.ledger.flush(target.tx)
    await removal.delete_people(target, gone)
    await peoplestore.write_people(target, writes)
    await peoplestore.mark(target, marks)


def _as_before(change: Change, now: peoplestore.Stored) -> peoplestore.Write:
    fields = {**peoplestore.fields(now), **_fields(change.before)}
    memberships = fields.pop("memberships")
    if privacy.CONTACTS in now.consents[1]:
        fields |= {"email": None, "phone": None}
    person = tuple(fields[name] for name in peoplestore.PERSONAL)
    return peoplestore.Write(change.entity_id, now.version + 1, person, memberships, now.consents)


def _fields(before: str | None) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(before or "{}")
    for name in ("birth_date", "teaching_since"):
        if found.get(name):
            found[name] = date.fromisoformat(found[name])
    if "memberships" in found:
        found["memberships"] = msgspec.convert(found["memberships"], tuple[Membership, ...])
    return found


async def _closed_units(target: Target, changes: Sequence[Change]) -> set[UUID]:
    """The deleted ones among those that people would come back to."""
    wanted = {
        m.organization_id
        for change in changes
        for m in _fields(change.before).get("memberships", ())
    }
    raw = await db.driver(target.tx)
    return {row[0] for row in await raw.fetch(_GONE, list(wanted))}
