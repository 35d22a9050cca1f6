"""People taken out by an import: those a bulk no longer names, and those an undo takes back."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from nastavnik_common import db
from nastavnik_common.events import PARTICIPANT
from nastavnik_registry.commands import consents, destruction
from nastavnik_registry.commands import imports as commands
from nastavnik_registry.domain import privacy
from nastavnik_registry.imports import deltas, peoplestore
from nastavnik_registry.imports.ledger import Place, Target
from nastavnik_registry.imports.notes import PERSON
from nastavnik_registry.imports.people import CHUNK, USERS

_VANISHED = """
    select e.external_id, e.entity_id, e.content_hash from external_id e
    where e.source = $1 and e.kind = 'participant'
"""
_UNSTAGED = """
    and not e.external_id = any($2)
    and not exists (select from s_user u where u.outside = e.external_id)
"""
_NAMED = "and e.external_id = any($2)"
_CURATORS = "select curator_id from programme where curator_id = any($1) and not deleted"


async def vanish(
    target: Target, rule: str, left_out: set[str], gone: Sequence[str] | None = None
) -> int:
    """Apply the source's rule to the people it no longer names; returns how many those are. They
    are the `gone`, or else all who are neither staged nor `left_out`.

    `ignore` leaves them, `end_membership` ends today what goes on, `delete` retracts them; but who
    is the curator of a programme is only ended.
    """
    if gone is not None and (not gone or (rule == "ignore" and not target.ledger.dry)):
        return len(gone)
    raw = await db.driver(target.tx)
    await raw.execute("analyze external_id")
    which, ids = (_UNSTAGED, list(left_out)) if gone is None else (_NAMED, list(gone))
    cursor = await raw.cursor(_VANISHED + which, target.source, ids)
    seen = 0
    while rows := await cursor.fetch(CHUNK):
        seen += len(rows)
        if rule == "ignore":
            _list(target, rows)
        elif rule == "delete":
            curators = await curating(target, [row["entity_id"] for row in rows])
            await _end(target, [row for row in rows if row["entity_id"] in curators])
            await _delete(target, [row for row in rows if row["entity_id"] not in curators])
        else:
            await _end(target, rows)
        await target.ledger.flush(target.tx)
    return seen


def _place(row: Any) -> Place:
    return Place(row["external_id"], USERS, None)


def _list(target: Target, rows: Sequence[Any]) -> None:
    """Only a dry run tells who they are: nothing happens to them."""
    if target.ledger.dry:
        for row in rows:
            target.ledger.add(PERSON, "vanished", row["entity_id"], None, _place(row))


async def _end(target: Target, rows: Sequence[Any]) -> None:
    ids = [row["entity_id"] for row in rows]
    before = await peoplestore.stored(target.tx, ids, lock=not target.ledger.dry)
    writes, marks = [], []
    for row in rows:
        person = before[row["entity_id"]]
        memberships = deltas.ended(person.memberships, target.today)
        if memberships == person.memberships:
            continue
        version = person.version + 1
        ident, same = row["entity_id"], (person.person, memberships, person.consents)
        write = peoplestore.Write(ident, version, *same)
        peoplestore.record(target, _place(row), row["content_hash"], person, write, "ended")
        writes.append(write)
        marks.append((row["external_id"], None))  # compared anew if they come back
    if not target.ledger.dry:
        await peoplestore.write_people(target, writes)
        await peoplestore.mark(target, marks)


async def _delete(target: Target, rows: Sequence[Any]) -> None:
    ids = [row["entity_id"] for row in rows]
    before = await peoplestore.stored(target.tx, ids, lock=not target.ledger.dry)
    for row in rows:
        version = before[row["entity_id"]].version + 1
        target.ledger.add(PERSON, "deleted", row["entity_id"], version, _place(row))
    await target.ledger.flush(target.tx)
    await delete_people(target, {ident: one.version for ident, one in before.items()})


async def curating(target: Target, ids: Sequence[UUID]) -> set[UUID]:
    raw = await db.driver(target.tx)
    return {row[0] for row in await raw.fetch(_CURATORS, ids)}


async def delete_people(target: Target, versions: dict[UUID, int]) -> None:
    """Retract people, by id and present version; nothing personal is left behind."""
    if target.ledger.dry or not versions:
        return
    raw, ids = await db.driver(target.tx), list(versions)
    await commands.forget(target.tx, PERSON, ids)
    cleared = ", ".join(f"{name} = null" for name in peoplestore.PERSONAL)
    await raw.execute(
        f"update participant set {cleared}, version = version + 1, deleted = true,"  # noqa: S608
        " birth_year = null, teaching_since_year = null, consents = '{}', withdrawn = '{}',"
        " changed_at = now() where id = any($1)",
        ids,
    )
    for statement in (
        "delete from membership where participant_id = any($1)",
        "delete from training where participant_id = any($1)",
        "delete from external_id where kind = 'participant' and entity_id = any($1)",
    ):
        await raw.execute(statement, ids)
    await consents.retract_all(target.tx, *ids)
    await destruction.forget_answers(target.tx, ids)
    cause = f"import {target.ledger.import_id}"
    destroyed = ("deleted", "removed_by_import", ids, privacy.WHOLE, cause)
    await destruction.draw(target.tx, *destroyed)
    gone = [target.outbox.tombstone(PARTICIPANT, one, v + 1) for one, v in versions.items()]
    await target.outbox.copy(target.tx, gone)
