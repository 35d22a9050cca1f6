"""Set-based writes of the facts of one batch. Returns whose figures must be folded again.

Rows that two replicas may touch are written in key order.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from nastavnik_common import db, events
from nastavnik_metrics import fold
from nastavnik_metrics.batch import Batch, Change

Connection = Any


class Dirty(NamedTuple):
    """Owners whose cells may no longer be right."""

    persons: set[UUID]
    mentorships: set[UUID]
    organizations: set[UUID]
    records: dict[str, list[Change]]
    """Changes of aggregates that own cells by themselves, by kind."""


async def write(connection: Connection, batch: Batch, enough: int) -> Dirty:
    """Write what is newer than what is stored. The caller holds the transaction and has locked
    the positions. `enough`: see Catalogue.enough_sessions."""
    await _directory(connection, batch)
    persons = await _newer(connection, batch, events.PARTICIPANT, "participant")
    dirty = Dirty({c.id for c in persons}, set(), set(), {})
    await _mentorships(connection, batch, dirty)
    await _sessions(connection, batch, dirty, enough)
    await _surveys(connection, batch, dirty)
    await _assessments(connection, batch, dirty)
    for kind in (events.PROGRAMME, events.GATHERING, events.CONTRIBUTION):
        dirty.records[kind.name] = await _newer(connection, batch, kind, kind.name)
    return dirty


async def _directory(connection: Connection, batch: Batch) -> None:
    """Org units, targets and headcounts touch no cell; they are applied when values are read."""
    changed = False
    for kind in (events.ORGANIZATION, events.TARGET, events.REFERENCE_COUNT):
        changed |= bool(await _newer(connection, batch, kind, kind.name))
    if changed:
        await connection.execute("insert into stale (organization_id) values (null)")


async def _newer(
    connection: Connection,
    batch: Batch,
    kind: events.Kind[Any],
    table: str,
    more: dict[str, tuple[str, list[Any]]] | None = None,
) -> list[Change]:
    """Upsert whole states; what is stored at the same or a higher version stays. `more`: further
    columns, name → (type, values in the order of ids); a null keeps what is stored."""
    changes = sorted(batch.changes[kind.topic].values(), key=_by_id)
    if not changes:
        return []
    extra = more or {}
    names = "".join(f", {name}" for name in extra)
    places = "".join(f", ${n}::{sort}[]" for n, (sort, _) in enumerate(extra.values(), 5))
    kept = "".join(f", {name} = coalesce(excluded.{name}, stored.{name})" for name in extra)
    rows = await connection.fetch(
        f"""insert into {table} as stored (id, version, deleted, state{names})
            select * from unnest($1::uuid[], $2::int[], $3::bool[], $4::json[]{places})
            on conflict (id) do update
            set version = excluded.version, deleted = excluded.deleted, state = excluded.state{kept}
            where stored.version < excluded.version
            returning id""",  # noqa: S608 -- names of tables and columns are ours
        [c.id for c in changes],
        [c.version for c in changes],
        [c.state is None for c in changes],
        [c.text for c in changes],
        *(values for _, values in extra.values()),
    )
    written = {row["id"] for row in rows}
    for change in changes:
        if change.id not in written:
            batch.superseded(kind.topic, change.id)
    return [c for c in changes if c.id in written]


async def _mentorships(connection: Connection, batch: Batch, dirty: Dirty) -> None:
    """Members before and after; and whoever a survey or assessment in it is about."""
    changes = await _newer(connection, batch, events.MENTORSHIP, "mentorship")
    if not changes:
        return
    ids = [c.id for c in changes]
    dirty.mentorships.update(ids)
    old = await connection.fetch(
        "delete from mentorship_member where mentorship_id = any($1) returning participant_id", ids
    )
    members = {(m.participant_id, c.id) for c in changes if c.state for m in c.state.members}
    await connection.execute(
        "insert into mentorship_member (participant_id, mentorship_id)"
        " select * from unnest($1::uuid[], $2::uuid[])",
        *db.columns(list(members), 2),
    )
    about = await connection.fetch(
        """select person_id from survey where mentorship_id = any($1)
           union select subject_id from assessment
           where mentorship_id = any($1) and not of_organization""",
        ids,
    )
    dirty.persons.update(row["participant_id"] for row in old)
    dirty.persons.update(person for person, _ in members)
    dirty.persons.update(row["person_id"] for row in about)


async def _sessions(connection: Connection, batch: Batch, dirty: Dirty, enough: int) -> None:
    """Attendance of the old state, of the new, or both; and the mentorships they belong to."""
    changes = sorted(batch.changes[events.SESSION.topic].values(), key=_by_id)
    if not changes:
        return
    known = await connection.fetch(
        "select * from session where id = any($1) order by id for update", [c.id for c in changes]
    )
    stored = {row["id"]: row for row in known}
    delta: Counter[fold.Attended] = Counter()
    newer = []
    for change in changes:
        row = stored.get(change.id)
        if row is not None and row["version"] >= change.version:
            batch.superseded(events.SESSION.topic, change.id)
            continue
        delta.update(fold.attendance_delta(_stored_attendance(row), fold.attended(change.state)))
        newer.append(change)
        if row is not None and row["mentorship_id"] is not None:
            dirty.mentorships.add(row["mentorship_id"])
        if change.state is not None:
            dirty.mentorships.add(change.state.mentorship_id)
    await _write_sessions(connection, newer)
    delta = Counter({key: n for key, n in delta.items() if n})
    dirty.persons.update(await _write_attendance(connection, delta, enough))


def _stored_attendance(row: Any | None) -> set[fold.Attended]:
    if row is None or not row["held"]:
        return set()
    return fold.attendances(row["attended"], row["mentorship_id"], row["day"])


async def _write_sessions(connection: Connection, changes: Sequence[Change]) -> None:
    rows = [(c.id, c.version, *_session_row(c.state)) for c in changes]
    await connection.execute(
        """insert into session
             (id, version, deleted, mentorship_id, day, held, minutes, technology, audience,
              attended, expected)
           select i, v, x, m, d, h, n, t, a::text[], p::uuid[], e
           from unnest($1::uuid[], $2::int[], $3::bool[], $4::uuid[], $5::date[], $6::bool[],
                       $7::int[], $8::text[], $9::text[], $10::text[], $11::int[])
             as s(i, v, x, m, d, h, n, t, a, p, e)
           on conflict (id) do update set version = excluded.version,
             deleted = excluded.deleted, mentorship_id = excluded.mentorship_id,
             day = excluded.day, held = excluded.held, minutes = excluded.minutes,
             technology = excluded.technology, audience = excluded.audience,
             attended = excluded.attended, expected = excluded.expected""",
        *db.columns(rows, 11),
    )


def _session_row(state: Any | None) -> tuple[Any, ...]:
    if state is None:
        return True, None, None, False, 0, None, "{}", "{}", 0
    present = [str(a.participant_id) for a in state.attendance if a.attended]
    return (
        False,
        state.mentorship_id,
        state.date,
        state.status == "held",
        state.duration_minutes,
        state.technology,
        "{" + ",".join(state.audience) + "}",
        "{" + ",".join(present) + "}",
        len(state.attendance),
    )


async def _write_attendance(
    connection: Connection, delta: Counter[fold.Attended], enough: int
) -> set[UUID]:
    """Add to the counters. Returns the persons to fold again: a counter that stays at or above
    what any rule asks for changes nothing (a sum reaches k ≤ enough whether its terms are cut at
    `enough` or not)."""
    keys = sorted(delta, key=lambda key: (key[0].int, key[1].int, key[2]))
    rows = await connection.fetch(
        """insert into attendance as stored (participant_id, mentorship_id, school_month, held)
           select * from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[])
           on conflict (participant_id, mentorship_id, school_month)
           do update set held = stored.held + excluded.held
           returning participant_id, mentorship_id, school_month, held""",
        *db.columns([(*key, delta[key]) for key in keys], 4),
    )
    return {
        person
        for person, mentorship, month, held in rows
        if min(held, enough) != min(held - delta[person, mentorship, month], enough)
    }


async def _surveys(connection: Connection, batch: Batch, dirty: Dirty) -> None:
    changes = _in_order(batch, events.SURVEY)
    columns = {
        "person_id": ("uuid", [c.state.respondent_id if c.state else None for c in changes]),
        "mentorship_id": ("uuid", [c.state.mentorship_id if c.state else None for c in changes]),
    }
    written = await _newer(connection, batch, events.SURVEY, "survey", columns)
    if written:
        about = await connection.fetch(
            "select person_id from survey where id = any($1) and person_id is not null",
            [c.id for c in written],
        )
        dirty.persons.update(row["person_id"] for row in about)


async def _assessments(connection: Connection, batch: Batch, dirty: Dirty) -> None:
    changes = _in_order(batch, events.ASSESSMENT)
    of_organization = [c.state.subject_kind == "organization" if c.state else None for c in changes]
    columns = {
        "subject_id": ("uuid", [c.state.subject_id if c.state else None for c in changes]),
        "of_organization": ("bool", of_organization),
        "mentorship_id": ("uuid", [c.state.mentorship_id if c.state else None for c in changes]),
    }
    written = await _newer(connection, batch, events.ASSESSMENT, "assessment", columns)
    if written:
        about = await connection.fetch(
            """select subject_id, of_organization from assessment
               where id = any($1) and subject_id is not null""",
            [c.id for c in written],
        )
        for row in about:
            (dirty.organizations if row["of_organization"] else dirty.persons).add(
                row["subject_id"]
            )


def _in_order(batch: Batch, kind: events.Kind[Any]) -> list[Change]:
    return sorted(batch.changes[kind.topic].values(), key=_by_id)


def _by_id(change: Change) -> int:
    """PostgreSQL's order of uuid is that of its integer; comparing the objects is slow."""
    return change.id.int


def in_order(idents: Iterable[UUID]) -> list[UUID]:
    return sorted(idents, key=lambda ident: ident.int)
