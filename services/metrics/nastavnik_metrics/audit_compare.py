"""Comparing what is stored with what the facts say. Reads only; the caller holds the snapshot."""

from collections import Counter
from typing import Any, Literal, NamedTuple
from uuid import UUID

from nastavnik_common import db
from nastavnik_metrics import audit_facts, cells, holdings
from nastavnik_metrics.audit_facts import Counters
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.cells import Cell, Cells

Where = Literal["cell", "owner", "attendance", "member", "value"]


class Difference(NamedTuple):
    """One number that is not what the facts say; `about` names it, outermost first."""

    where: Where
    about: tuple[str, ...]
    stored: int
    expected: int


class Chunk(NamedTuple):
    cells: Cells
    """What the chunk's owners add up to, by the facts."""
    differences: list[Difference]


async def owners(connection: Any, kind: str, idents: list[UUID], catalogue: Catalogue) -> Chunk:
    """Owners of one kind: facts against `owner.cells`, and against the tables derived besides."""
    found = await audit_facts.expected(connection, kind, idents, catalogue)
    rows = await connection.fetch(
        f"select {holdings.COLUMNS} from owner where kind = $1 and id = any($2)",  # noqa: S608
        kind,
        idents,
    )
    stored = await holdings.of(connection, rows)
    places = {row["id"]: set(row["organizations"]) for row in rows}
    total: Counter[Cell] = Counter()
    differing: list[Difference] = []
    for ident in idents:
        right = found.get(ident, {})
        total.update(right)
        differing += _unequal("owner", stored.get((kind, ident), {}), right, kind, str(ident))
        at = {cell.organization_id for cell in right}
        missing = at - places.get(ident, set())  # where the owner would not be found
        if missing:
            about = (kind, str(ident), "organizations")
            differing.append(Difference("owner", about, len(at) - len(missing), len(at)))
    if kind == "mentorship":
        differing += await _members(connection, idents)
        differing += await _counters_missing(connection, idents)
    if kind == "person":
        differing += await _counters_unfounded(connection, idents)
    return Chunk(dict(total), differing)


async def organizations(connection: Any, idents: list[UUID]) -> list[Difference]:
    """The owners' cells, added up, against the cells of the organisations."""
    has = await holdings.at(connection, idents)
    return _unequal("cell", await _stored(connection, idents), has)


async def _stored(connection: Any, idents: list[UUID]) -> Cells:
    rows = await connection.fetch(f"{CELLS} where organization_id = any($1)", idents)
    return {Cell(*row[:4]): row["value"] for row in rows}


CELLS = "select organization_id, school_month, slice, measure, value from cell"


async def all_cells(connection: Any, total: Counter[Cell]) -> tuple[int, list[Difference]]:
    """Every stored cell against the total, which is used up. Returns how many were compared."""
    differing = []
    count = 0
    async for row in connection.cursor(CELLS, prefetch=2000):
        cell = Cell(*row[:4])
        count += 1
        right = total.pop(cell, 0)
        if right != row["value"]:
            differing.append(_difference("cell", cell, row["value"], right))
    return count, differing + _unequal("cell", {}, dict(total))


def _unequal(where: Where, stored: Cells, right: Cells, *about: str) -> list[Difference]:
    delta = cells.difference(stored, right)
    return [_difference(where, c, stored.get(c, 0), right.get(c, 0), *about) for c in delta]


def _difference(where: Where, cell: Cell, stored: int, right: int, *about: str) -> Difference:
    return Difference(where, (*about, *map(str, cell)), stored, right)


async def _members(connection: Any, idents: list[UUID]) -> list[Difference]:
    rows = await connection.fetch(
        """select mentorship_id, participant_id from mentorship_member
           where mentorship_id = any($1)""",
        idents,
    )
    stored = {tuple(row) for row in rows}
    states = await audit_facts.mentorship_states(connection, idents)
    right = {(s.id, m.participant_id) for s in states.values() for m in s.members}
    return [
        Difference("member", tuple(map(str, pair)), int(pair in stored), int(pair in right))
        for pair in stored ^ right
    ]


async def _counters_missing(connection: Any, mentorship_ids: list[UUID]) -> list[Difference]:
    """Counters that sessions of the mentorships call for, and are not there or are wrong."""
    right = await audit_facts.attended(connection, mentorship_ids)
    rows = await connection.fetch(
        """select participant_id, mentorship_id, school_month, held from attendance
           join unnest($1::uuid[], $2::uuid[], $3::int[]) as t(p, m, s)
             on participant_id = p and mentorship_id = m and school_month = s""",
        *db.columns(list(right), 3),
    )
    return _counters({tuple(row[:3]): row["held"] for row in rows}, right)


async def _counters_unfounded(connection: Any, persons: list[UUID]) -> list[Difference]:
    """Counters of the persons for which there is no session."""
    rows = await connection.fetch(
        """select participant_id, mentorship_id, school_month, held from attendance
           where participant_id = any($1) and held <> 0""",
        persons,
    )
    stored = {tuple(row[:3]): row["held"] for row in rows}
    right = await audit_facts.attended(connection, {row[1] for row in rows}, persons)
    return _counters({k: n for k, n in stored.items() if k not in right}, Counter())


def _counters(stored: dict[Any, int], right: Counters) -> list[Difference]:
    return [
        Difference("attendance", tuple(map(str, key)), stored.get(key, 0), right[key])
        for key in {**stored, **right}
        if stored.get(key, 0) != right[key]
    ]
