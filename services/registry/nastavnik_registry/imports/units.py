"""orgs.csv → org units as the package has them: read, and placed in the tree."""

from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db
from nastavnik_registry import domain
from nastavnik_registry.imports import mapping
from nastavnik_registry.imports.codes import Policy
from nastavnik_registry.imports.notes import UNIT, Notes
from nastavnik_registry.imports.package import Package

FILE = "orgs.csv"


class Known(NamedTuple):
    """A unit this source has named before."""

    id: UUID
    level: str
    kind: str | None
    hash: bytes | None


class Found(NamedTuple):
    """A unit as the package has it. `parent` is ours; None: the package does not place it."""

    outside: str
    id: UUID
    level: str
    kind: str | None
    name: str
    oktmo: str | None
    code: str | None
    parent: UUID | None
    hash: bytes
    line: int


class Row(NamedTuple):
    line: int
    level: str
    kind: str | None
    name: str
    identifier: str
    parent: str


class Under(NamedTuple):
    id: UUID
    level: str


async def known(tx: AsyncSession, source: str) -> dict[str, Known]:
    """Every live unit of the source by its outside id, kept from deletion."""
    raw = await db.driver(tx)
    rows = await raw.fetch(
        "select e.external_id, o.id, o.level, o.kind, e.content_hash from external_id e"
        " join org_unit o on o.id = e.entity_id"
        " where e.source = $1 and e.kind = 'organization' and not o.deleted"
        " order by o.id for key share of o",
        source,
    )
    return {row[0]: Known(*row[1:]) for row in rows}


def read(
    package: Package, policy: Policy, before: dict[str, Known], notes: Notes
) -> dict[str, Row]:
    """The units that are to be, by outside id. One to be deleted is left as it is here."""
    found = {}
    for line, row in package.rows(FILE, notes.bad(FILE)):
        outside = row["sourcedId"]
        if notes.skip(FILE, line, outside) or row["status"] == "tobedeleted":
            continue
        level, kind = policy.unit_of(row["type"])
        name = notes.required(row, "name", FILE, line, outside)
        identifier = notes.text(row, "identifier", FILE, line, outside) or ""
        found[outside] = Row(line, level, kind, name, identifier, row["parentSourcedId"])
        if outside in before and before[outside].level != level:
            message = "the unit is known on another level; levels never change"
            notes.add("import.level_changed", FILE, line, "type", message, outside)
    return closed(found, before, notes)


def closed(rows: dict[str, Row], before: dict[str, Known], notes: Notes) -> dict[str, Row]:
    """The rows without those set aside, and without those that stand under an unknown one of
    them: they have no place."""
    left_out = notes.left_out[UNIT]
    if left_out.isdisjoint(rows) and not any(row.parent in left_out for row in rows.values()):
        return rows
    rows = {outside: row for outside, row in rows.items() if outside not in left_out}
    orphans = [
        outside
        for outside, row in rows.items()
        if row.parent in left_out and row.parent not in before
    ]
    for outside in orphans:
        message = "the unit above it was set aside"
        line = rows[outside].line
        notes.add("import.parent_set_aside", FILE, line, "parentSourcedId", message, outside)
    return closed(rows, before, notes) if orphans else rows


class Placer:
    """Finds each unit's place: the nearest ancestor that may stand above it, else `under`."""

    def __init__(self, rows: dict[str, Row], before: dict[str, Known], under: Under | None):
        self._rows, self._under = rows, under
        self.ids = {
            outside: before[outside].id if outside in before else uuid4() for outside in rows
        }
        self._known = before

    def place(self, outside: str, notes: Notes) -> UUID | None:
        row = self._rows[outside]
        parent, seen = row.parent, {outside}
        while parent:
            if parent in seen:
                message = "its own ancestor"
                notes.add("import.org_cycle", FILE, row.line, "parentSourcedId", message, outside)
                return None
            seen.add(parent)
            place = self._above(row.level, parent)
            if place is not None:
                return place
            parent = self._rows[parent].parent if parent in self._rows else ""
        if self._under is None:
            return None
        if not domain.may_stand_under(row.level, self._under.level):
            message = "no parent here, and `under` is not of a higher level"
            notes.add("import.under_level", FILE, row.line, "type", message, outside)
            return None
        return self._under.id

    def _above(self, level: str, parent: str) -> UUID | None:
        if parent in self._rows:
            higher = domain.may_stand_under(level, self._rows[parent].level)
            return self.ids[parent] if higher else None
        there = self._known.get(parent)
        if there is not None and domain.may_stand_under(level, there.level):
            return there.id
        return None


def resolve(
    rows: dict[str, Row], before: dict[str, Known], under: Under | None, notes: Notes
) -> list[Found]:
    placer = Placer(rows, before, under)
    found = {}
    for outside, row in rows.items():
        parent = placer.place(outside, notes)
        oktmo, code = mapping.codes_of(row.level, row.identifier)
        content = (row.level, row.kind, row.name, oktmo, code, parent)
        mark = mapping.content_hash(*content)
        found[outside] = Found(outside, placer.ids[outside], *content, mark, row.line)
    return [found[outside] for outside in closed(rows, before, notes)]
