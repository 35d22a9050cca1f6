"""Set-based writes of one batch: facts, attendance, contributions, cells. One transaction.

Rows that two replicas may touch (persons, cells, attendance) are locked and written in key order.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from nastavnik_common import db, events
from nastavnik_common.clock import school_year
from nastavnik_common.events.activity import MentorshipState
from nastavnik_common.events.registry import ParticipantState
from nastavnik_metrics import fold
from nastavnik_metrics.batch import Batch, Change
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.measures import Cell, Contribution, contribution, engagements

Connection = Any
_MENTORSHIP = msgspec.json.Decoder(MentorshipState)
_PARTICIPANT = msgspec.json.Decoder(ParticipantState)
_CELLS = msgspec.json.Decoder(list[tuple[UUID, int, str, str, int]])


async def apply(connection: Connection, batch: Batch, catalogue: Catalogue) -> int:
    """Write the batch's changes and everything that follows from them. The caller holds the
    transaction and has locked the positions. Returns how many cells changed."""
    await _directory(connection, batch)
    persons = await _participants(connection, batch)
    persons |= await _mentorships(connection, batch)
    persons |= await _sessions(connection, batch, catalogue.enough_sessions)
    return await refold(connection, persons, catalogue)


async def _directory(connection: Connection, batch: Batch) -> None:
    """Org units and targets touch no cell; they are applied when values are read."""
    changed = False
    for kind, table in ((events.ORGANIZATION, "organization"), (events.TARGET, "target")):
        changed |= bool(await _newer(connection, batch, kind.topic, table))
    if changed:
        await connection.execute("insert into stale (organization_id) values (null)")


async def _participants(connection: Connection, batch: Batch) -> set[UUID]:
    return {c.id for c in await _newer(connection, batch, events.PARTICIPANT.topic, "participant")}


async def _newer(connection: Connection, batch: Batch, topic: str, table: str) -> list[Change]:
    """Upsert whole states; what is stored at the same or a higher version stays."""
    changes = sorted(batch.changes[topic].values(), key=_change_order)
    if not changes:
        return []
    rows = await connection.fetch(
        f"""insert into {table} as stored (id, version, deleted, state)
            select * from unnest($1::uuid[], $2::int[], $3::bool[], $4::json[])
            on conflict (id) do update
            set version = excluded.version, deleted = excluded.deleted, state = excluded.state
            where stored.version < excluded.version
            returning id""",  # noqa: S608 -- table names are ours
        [c.id for c in changes],
        [c.version for c in changes],
        [c.state is None for c in changes],
        [c.text for c in changes],
    )
    written = {row["id"] for row in rows}
    for change in changes:
        if change.id not in written:
            batch.superseded(topic, change.id)
    return [c for c in changes if c.id in written]


async def _mentorships(connection: Connection, batch: Batch) -> set[UUID]:
    """Persons whose part in a mentorship may have changed: members before and after."""
    topic = events.MENTORSHIP.topic
    changes = await _newer(connection, batch, topic, "mentorship")
    if not changes:
        return set()
    ids = [c.id for c in changes]
    old = await connection.fetch(
        "delete from mentorship_member where mentorship_id = any($1) returning participant_id", ids
    )
    members = {(m.participant_id, c.id) for c in changes if c.state for m in c.state.members}
    await connection.execute(
        "insert into mentorship_member (participant_id, mentorship_id)"
        " select * from unnest($1::uuid[], $2::uuid[])",
        *db.columns(list(members), 2),
    )
    return {row["participant_id"] for row in old} | {person for person, _ in members}


async def _sessions(connection: Connection, batch: Batch, enough: int) -> set[UUID]:
    """Persons whose attendance changed: of the old state, of the new, or both."""
    topic = events.SESSION.topic
    changes = sorted(batch.changes[topic].values(), key=_change_order)
    if not changes:
        return set()
    known = await connection.fetch(
        "select * from session where id = any($1) order by id for update", [c.id for c in changes]
    )
    stored = {row["id"]: row for row in known}
    delta: Counter[fold.Attended] = Counter()
    newer = []
    for change in changes:
        row = stored.get(change.id)
        if row is not None and row["version"] >= change.version:
            batch.superseded(topic, change.id)
            continue
        delta.update(fold.attendance_delta(_stored_attendance(row), fold.attended(change.state)))
        newer.append(change)
    await _write_sessions(connection, newer)
    delta = Counter({key: n for key, n in delta.items() if n})
    return await _write_attendance(connection, delta, enough)


def _stored_attendance(row: Any | None) -> set[fold.Attended]:
    if row is None or not row["held"]:
        return set()
    year = school_year(row["day"])
    return {(person, row["mentorship_id"], year) for person in row["attended"]}


async def _write_sessions(connection: Connection, changes: Sequence[Change]) -> None:
    rows = [
        (
            c.id,
            c.version,
            c.state is None,
            c.state.mentorship_id if c.state else None,
            c.state.date if c.state else None,
            bool(c.state) and c.state.status == "held",
            "{" + ",".join((str(p) for p, _, _ in fold.attended(c.state))) + "}",
        )
        for c in changes
    ]
    await connection.execute(
        """insert into session (id, version, deleted, mentorship_id, day, held, attended)
           select i, v, x, m, d, h, a::uuid[] from unnest($1::uuid[], $2::int[], $3::bool[],
             $4::uuid[], $5::date[], $6::bool[], $7::text[]) as t(i, v, x, m, d, h, a)
           on conflict (id) do update set version = excluded.version,
             deleted = excluded.deleted, mentorship_id = excluded.mentorship_id,
             day = excluded.day, held = excluded.held, attended = excluded.attended""",
        *db.columns(rows, 7),
    )


async def _write_attendance(
    connection: Connection, delta: Counter[fold.Attended], enough: int
) -> set[UUID]:
    """Add to the counters. Returns the persons to fold again: a counter that stays at or above
    what any rule asks for changes nothing (a sum reaches k ≤ enough whether its terms are cut at
    `enough` or not)."""
    keys = sorted(delta, key=_attended_order)
    rows = await connection.fetch(
        """insert into attendance as stored (participant_id, mentorship_id, school_year, held)
           select * from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::int[])
           on conflict (participant_id, mentorship_id, school_year)
           do update set held = stored.held + excluded.held
           returning participant_id, mentorship_id, school_year, held""",
        *db.columns([(*key, delta[key]) for key in keys], 4),
    )
    return {
        person
        for person, mentorship, year, held in rows
        if min(held, enough) != min(held - delta[person, mentorship, year], enough)
    }


def _by_int(ident: UUID) -> int:
    """PostgreSQL's order of uuid, without the cost of comparing the objects."""
    return ident.int


def _change_order(change: Change) -> int:
    return change.id.int


def _attended_order(key: fold.Attended) -> tuple[int, int, int]:
    return key[0].int, key[1].int, key[2]


def _cell_order(cell: Cell) -> tuple[int, int, str, str]:
    return cell[0].int, *cell[1:]


async def _lock_persons(connection: Connection, ordered: list[UUID]) -> None:
    """One owner at a time per person. A row that is not there yet cannot be locked: stubs first."""
    await connection.execute(
        """insert into participant (id, version, deleted)
           select id, 0, false from unnest($1::uuid[]) as t(id) on conflict do nothing""",
        ordered,
    )
    await connection.execute(
        "select 1 from participant where id = any($1) order by id for update", ordered
    )


async def refold(connection: Connection, persons: set[UUID], catalogue: Catalogue) -> int:
    """Replace the persons' contributions and move the cells by the difference."""
    if not persons:
        return 0
    ordered = sorted(persons, key=_by_int)
    await _lock_persons(connection, ordered)
    facts = await _facts(connection, ordered)
    delta: Counter[Cell] = Counter()
    changed: list[tuple[UUID, str]] = []
    for row in await connection.fetch(_PERSONS, ordered):
        person = None if row["state"] is None else _PARTICIPANT.decode(row["state"])
        new = contribution(person, facts[row["id"]], catalogue)
        text = encode_contribution(new)
        if text != row["contribution"]:
            delta.update(fold.cell_delta(decode_contribution(row["contribution"]), new))
            changed.append((row["id"], text))
    await connection.execute(
        """update participant set contribution = t.c
           from unnest($1::uuid[], $2::json[]) as t(id, c) where participant.id = t.id""",
        *db.columns(changed, 2),
    )
    return await _write_cells(connection, {cell: n for cell, n in delta.items() if n})


_PERSONS = "select id, state, contribution from participant where id = any($1)"


async def _facts(connection: Connection, persons: list[UUID]) -> dict[UUID, list[Any]]:
    """Person → engagements, out of the stored facts."""
    held: dict[tuple[UUID, UUID], dict[int, int]] = defaultdict(dict)
    for row in await connection.fetch(
        "select * from attendance where participant_id = any($1) and held > 0", persons
    ):
        held[row["participant_id"], row["mentorship_id"]][row["school_year"]] = row["held"]
    pairs = await connection.fetch(
        """select participant_id, mentorship_id from mentorship_member
           where participant_id = any($1)""",
        persons,
    )
    states = await connection.fetch(
        "select id, state from mentorship where id = any($1) and state is not null",
        list({row["mentorship_id"] for row in pairs}),
    )
    mentorships = {row["id"]: _MENTORSHIP.decode(row["state"]) for row in states}
    found: dict[UUID, list[Any]] = defaultdict(list)
    for person, mentorship in pairs:
        if mentorship in mentorships:
            found[person] += engagements(mentorships[mentorship], person, held[person, mentorship])
    return found


async def _write_cells(connection: Connection, delta: Contribution) -> int:
    rows = [(*cell, delta[cell]) for cell in sorted(delta, key=_cell_order)]
    if not rows:
        return 0
    await connection.execute(
        """insert into cell as stored (organization_id, school_year, form, measure, value)
           select * from unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::int[])
           on conflict (organization_id, school_year, form, measure)
           do update set value = stored.value + excluded.value""",
        *db.columns(rows, 5),
    )
    await connection.execute(
        "insert into stale (organization_id) select unnest($1::uuid[])",
        list({cell.organization_id for cell in delta}),
    )
    return len(rows)


def encode_contribution(cells: Contribution) -> str:
    rows = [(*cell, cells[cell]) for cell in sorted(cells, key=_cell_order)]
    return msgspec.json.encode(rows).decode()


def decode_contribution(text: str | None) -> Contribution:
    if text is None:
        return {}
    return {Cell(o, y, f, m): value for o, y, f, m, value in _CELLS.decode(text)}
