"""Packages of changes: the people they name, brought from what is stored to what is said of them.

An active record is created or brought up to date; `tobedeleted` ends memberships on the day of the
import and deletes nothing, so that figures of the past stay. Roles have no id of their own here:
the same place and kind is the same role.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec

from nastavnik_common import db
from nastavnik_common.events.registry import Membership
from nastavnik_registry import domain
from nastavnik_registry.imports import peoplestore
from nastavnik_registry.imports.ledger import Place, Target
from nastavnik_registry.imports.notes import Notes
from nastavnik_registry.imports.peoplestore import BIRTH, PERSONAL, Found

CHUNK = 4000
_ROLE = ("organization_id", "kind", "first", "since", "until", "gone")
_AGGREGATES = ", ".join(f'array_agg("{name}" order by seq) as "r_{name}"' for name in _ROLE)
_ROLES = ", ".join(f"r.r_{name}" for name in _ROLE)
_JOINED = f"""
    select k.outside, u.line, u.gone, u.home, {", ".join(PERSONAL)}, d.outside as born, {_ROLES},
           r.r_line, d.line as d_line, e.entity_id, e.content_hash
    from (select outside from s_user union select outside from s_role
          union select outside from s_demographics) k
    left join s_user u using (outside)
    left join s_demographics d using (outside)
    left join (select outside, min(seq) as r_line, {_AGGREGATES} from s_role group by outside) r
           using (outside)
    left join external_id e
           on e.source = $1 and e.kind = 'participant' and e.external_id = k.outside
"""  # noqa: S608 - names of columns


class Role(NamedTuple):
    organization_id: UUID
    kind: str
    first: bool
    since: date | None
    until: date | None
    gone: bool


async def apply(target: Target, notes: Notes, tick: Callable[[int], None]) -> tuple[int, int, int]:
    """Write what differs, in chunks. Returns how many are new, changed, unchanged."""
    raw = await db.driver(target.tx)
    cursor = await raw.cursor(_JOINED, target.source)
    added = changed = seen = 0
    noted = notes.total
    while rows := await cursor.fetch(CHUNK):
        ids = [row["entity_id"] for row in rows if row["entity_id"]]
        stored = await peoplestore.stored(target.tx, ids, lock=not target.ledger.dry)
        found = [o for row in rows if (o := _found(row, stored, target.today, notes)) is not None]
        new = [one for one in found if one.known is None]
        marked = [one for one in found if one.known is not None]
        added += await peoplestore.insert(target, new)
        changed += await peoplestore.update(target, marked)
        seen += len(rows)
        tick(seen)
    return added, changed, seen - added - changed - (notes.total - noted)


def _found(
    row: Any, stored: dict[UUID, peoplestore.Stored], today: date, notes: Notes
) -> Found | None:
    known: UUID | None = row["entity_id"]
    if known is None and row["line"] is None:
        message = "roles or demographics of a user that is neither here nor known"
        place = _place(row)
        notes.add("import.unknown_user", place.file, place.line, "", message, place.outside)
        return None
    if known is None and row["gone"]:
        return None
    before = stored[known] if known else None
    memberships = before.memberships if before else ()
    if row["gone"]:
        memberships = ended(memberships, today)
    elif row["r_kind"] is not None:
        columns = (row[f"r_{name}"] for name in _ROLE)
        roles = [Role(*values) for values in zip(*columns, strict=True)]
        memberships = merged(memberships, roles, row["home"], today)
    return Found(
        outside=row["outside"],
        id=known or uuid4(),
        known=known,
        person=_person(row, before),
        birth_known=True,
        memberships=memberships,
        hash=None,
        was=row["content_hash"],
        place=_place(row),
    )


def _place(row: Any) -> Place:
    """The first line that names the person."""
    for file, line in (("users.csv", row["line"]), ("roles.csv", row["r_line"])):
        if line is not None:
            return Place(row["outside"], file, line)
    return Place(row["outside"], "demographics.csv", row["d_line"])


def _person(row: Any, before: peoplestore.Stored | None) -> tuple[Any, ...]:
    named = row["line"] is not None and not row["gone"]
    person = [row[name] for name in PERSONAL] if named or not before else list(before.person)
    if row["born"] is not None:
        person[BIRTH] = row["birth_date"]
    elif before:
        person[BIRTH] = before.person[BIRTH]
    return tuple(person)


def ended(memberships: Iterable[Membership], today: date) -> tuple[Membership, ...]:
    """All that goes on ends today; what was to begin later never does."""
    found = []
    for membership in memberships:
        if membership.until is not None and membership.until <= today:
            found.append(membership)
        elif membership.since is None or membership.since < today:
            found.append(msgspec.structs.replace(membership, until=today))
    return tuple(found)


def merged(
    memberships: Sequence[Membership], roles: Iterable[Role], home: UUID | None, today: date
) -> tuple[Membership, ...]:
    """The memberships after the roles that changed. One home at a time, as before."""
    found = list(memberships)
    for role in roles:
        same = [
            m for m in found if (m.organization_id, m.kind) == (role.organization_id, role.kind)
        ]
        if role.gone:
            found = [m for m in found if m not in same] + list(ended(same, today))
            continue
        twin = next((m for m in same if m.until is None or m.since == role.since), None)
        if twin is not None:
            found.remove(twin)
        fresh = Membership(
            organization_id=role.organization_id,
            kind=role.kind,  # type: ignore[arg-type]
            primary=twin is not None and twin.primary,
            since=role.since,
            until=role.until,
        )
        found = _housed(found, fresh, role.first, home)
    return domain.ordered_memberships(found)


def _housed(
    others: list[Membership], fresh: Membership, first: bool, home: UUID | None
) -> list[Membership]:
    """Add a membership; it is home when the user's record says so, or when no other is."""
    at_home = any(m.primary and m.organization_id == home for m in others)
    if fresh.organization_id == home and (first or fresh.primary or not at_home):
        others = [
            msgspec.structs.replace(m, primary=m.primary and not domain.overlapping((m, fresh)))
            for m in others
        ]
        primary = True
    else:
        homes = [m for m in others if m.primary]
        primary = (first or fresh.primary) and not domain.overlapping((*homes, fresh))
    return [*others, msgspec.structs.replace(fresh, primary=primary)]
