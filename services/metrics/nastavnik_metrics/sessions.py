"""Sessions: what is stored of them, who attended, and what each adds where its mentorship is run.

A session's share of the cells stands in its row. It follows from the session and from the forms
and the organisation of its mentorship, so it is worked out anew when either changes.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from nastavnik_common import db, events
from nastavnik_common.events.activity import MentorshipState, SessionState
from nastavnik_metrics import fold
from nastavnik_metrics.batch import Batch, Change
from nastavnik_metrics.dirty import Connection, Dirty, in_order
from nastavnik_metrics.owners.mentorships import Held
from nastavnik_metrics.patterns import NOTHING, Share
from nastavnik_metrics.shares import Shares

_MENTORSHIP = msgspec.json.Decoder(MentorshipState)
Known = Mapping[UUID, MentorshipState]


async def write(connection: Connection, batch: Batch, shares: Shares, dirty: Dirty) -> None:
    """Write the batch's sessions, after its mentorships."""
    changes = sorted(batch.changes[events.SESSION.topic].values(), key=lambda c: c.id.int)
    if changes:
        newer, stored = await _newer(connection, batch, changes)
        named = {c.state.mentorship_id for c in newer if c.state is not None}
        known = await states(connection, named)
        delta: Counter[fold.Attended] = Counter()
        rows = []
        for change in newer:
            old, state = stored.get(change.id), change.state
            delta.update(fold.attendance_delta(_attendance(old), fold.attended(state)))
            share = _share(state, known, shares)
            rows.append((change.id, change.version, *_row(state, share)))
            _count(dirty, old, share)
        dirty.mentorships.update(named)
        await _write(connection, rows)
        dirty.persons.update(await _attend(connection, delta, shares.catalogue.enough_sessions))
    await follow(connection, batch.changes[events.MENTORSHIP.topic], shares, dirty)


async def states(connection: Connection, idents: Collection[UUID]) -> Known:
    rows = await connection.fetch(
        "select id, state from mentorship where id = any($1) and state is not null", list(idents)
    )
    return {row["id"]: _MENTORSHIP.decode(row["state"]) for row in rows}


async def _newer(
    connection: Connection, batch: Batch, changes: list[Change]
) -> tuple[list[Change], dict[UUID, Any]]:
    """Those newer than what is stored, and what is stored."""
    rows = await connection.fetch(
        """select id, version, mentorship_id, day, held, attended, organization_id, pattern
           from session where id = any($1) order by id for update""",
        [c.id for c in changes],
    )
    stored = {row["id"]: row for row in rows}
    newer = []
    for change in changes:
        row = stored.get(change.id)
        if row is not None and row["version"] >= change.version:
            batch.superseded(events.SESSION.topic, change.id)
        else:
            newer.append(change)
    return newer, stored


def _attendance(row: Any | None) -> set[fold.Attended]:
    if row is None or not row["held"]:
        return set()
    return fold.attendances(row["attended"], row["mentorship_id"], row["day"])


def _share(state: SessionState | None, known: Known, shares: Shares) -> Share:
    if state is None or state.status != "held" or state.mentorship_id not in known:
        return NOTHING
    there = sum(a.attended for a in state.attendance)
    held = Held(
        state.date,
        state.duration_minutes,
        state.technology,
        state.audience,
        there,
        len(state.attendance),
    )
    return shares.meeting(known[state.mentorship_id], held)


def _count(dirty: Dirty, old: Any | None, new: Share) -> None:
    """The share that goes, the share that comes, and whose regularity they may change."""
    if old is not None:
        dirty.shares[_stored_share(old)] -= 1
        if old["mentorship_id"] is not None:
            dirty.mentorships.add(old["mentorship_id"])
    dirty.shares[new] += 1


def _stored_share(row: Any) -> Share:
    return Share(row["pattern"], (row["organization_id"],)) if row["pattern"] else NOTHING


def _row(state: SessionState | None, share: Share) -> tuple[Any, ...]:
    if state is None:
        return True, None, None, False, 0, None, "{}", "{}", 0, None, None
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
        share.organizations[0] if share.pattern else None,
        share.pattern,
    )


async def _write(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    await connection.execute(
        """insert into session
             (id, version, deleted, mentorship_id, day, held, minutes, technology, audience,
              attended, expected, organization_id, pattern)
           select i, v, x, m, d, h, n, t, a::text[], p::uuid[], e, o, c
           from unnest($1::uuid[], $2::int[], $3::bool[], $4::uuid[], $5::date[], $6::bool[],
                       $7::int[], $8::text[], $9::text[], $10::text[], $11::int[], $12::uuid[],
                       $13::bytea[])
             as s(i, v, x, m, d, h, n, t, a, p, e, o, c)
           on conflict (id) do update set version = excluded.version,
             deleted = excluded.deleted, mentorship_id = excluded.mentorship_id,
             day = excluded.day, held = excluded.held, minutes = excluded.minutes,
             technology = excluded.technology, audience = excluded.audience,
             attended = excluded.attended, expected = excluded.expected,
             organization_id = excluded.organization_id, pattern = excluded.pattern""",
        *db.columns(rows, 13),
    )


async def _attend(connection: Connection, delta: Counter[fold.Attended], enough: int) -> set[UUID]:
    """Add to the counters. Returns the persons to fold again: a counter that stays at or above
    what any rule asks for changes nothing (a sum reaches k ≤ enough whether its terms are cut at
    `enough` or not)."""
    moved = [(key, n) for key, n in delta.items() if n]
    moved.sort(key=lambda one: (one[0][0].int, one[0][1].int, one[0][2]))
    rows = await connection.fetch(
        """insert into attendance as stored (participant_id, mentorship_id, school_month, held)
           select * from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[])
           on conflict (participant_id, mentorship_id, school_month)
           do update set held = stored.held + excluded.held
           returning participant_id, mentorship_id, school_month, held""",
        *db.columns([(*key, n) for key, n in moved], 4),
    )
    return {
        person
        for person, mentorship, month, held in rows
        if min(held, enough) != min(held - delta[person, mentorship, month], enough)
    }


async def follow(
    connection: Connection, changed: Iterable[UUID], shares: Shares, dirty: Dirty
) -> None:
    """The stored sessions of mentorships that changed: these may be run elsewhere now, or in
    another form, or have become known only now."""
    idents = in_order(changed)
    if not idents:
        return
    known = await states(connection, idents)
    rows = await connection.fetch(
        """select id, mentorship_id, day, minutes, technology, audience,
                  cardinality(attended) as there, expected, organization_id, pattern
           from session where mentorship_id = any($1) and held order by id""",
        idents,
    )
    moved = []
    for row in rows:
        new = NOTHING
        if row["mentorship_id"] in known:
            _, _, day, minutes, technology, audience, there, expected, *_ = row
            held = Held(day, minutes, technology, tuple(audience), there, expected)
            new = shares.meeting(known[row["mentorship_id"]], held)
        old = _stored_share(row)
        if new != old:
            dirty.shares[old] -= 1
            dirty.shares[new] += 1
            moved.append((row["id"], new.organizations[0] if new.pattern else None, new.pattern))
    if moved:
        await connection.execute(
            """update session set organization_id = t.o, pattern = t.p
               from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as t(i, o, p)
               where session.id = t.i""",
            *db.columns(moved, 3),
        )
