"""Owners whose facts changed: their shares anew, and the cells moved by the difference.

What each owner has in the cells is stored beside it, so the difference is exact whatever happened;
an owner is locked while it is folded, and owners and cells are taken in key order.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

import msgspec

from nastavnik_common import db
from nastavnik_common.events.activity import AssessmentState, SurveyState
from nastavnik_common.events.registry import ParticipantState
from nastavnik_metrics import cells, sessions
from nastavnik_metrics.cells import Cells
from nastavnik_metrics.dirty import Connection, Dirty, in_order
from nastavnik_metrics.owners import mentorships, persons
from nastavnik_metrics.patterns import NOTHING, Share
from nastavnik_metrics.shares import Shares

_PARTICIPANT = msgspec.json.Decoder(ParticipantState)
_SURVEY = msgspec.json.Decoder(SurveyState)
_ASSESSMENT = msgspec.json.Decoder(AssessmentState)


class Owner(NamedTuple):
    kind: str
    id: UUID


async def refold(connection: Connection, dirty: Dirty, shares: Shares) -> Counter[Share]:
    """Fold the owners again. Returns the shares that came (positive) and went (negative)."""
    moved = dirty.shares
    owners = list(_owners(dirty))
    if owners:
        stored = await _locked(connection, owners)
        new = await _folded(connection, dirty, shares)
        changed = {
            o: new.get(o, NOTHING) for o, old in stored.items() if new.get(o, NOTHING) != old
        }
        for owner, share in changed.items():
            moved[stored[owner]] -= 1
            moved[share] += 1
        await _write_owners(connection, changed)
    await shares.patterns.save(connection)
    return moved


async def settle(connection: Connection, moved: Counter[Share], shares: Shares) -> int:
    """Move the cells by the shares that came and went. Returns how many changed."""
    await shares.patterns.load(connection, (share.pattern for share in moved))
    return await _write_cells(connection, shares.patterns.sum(moved))


async def _write_owners(connection: Connection, changed: dict[Owner, Share]) -> None:
    rows = [
        (*owner, share.pattern, "{" + ",".join(map(str, share.organizations)) + "}")
        for owner, share in changed.items()
    ]
    await connection.execute(
        """update owner set pattern = t.p, organizations = t.o::uuid[]
           from unnest($1::text[], $2::uuid[], $3::bytea[], $4::text[]) as t(k, i, p, o)
           where owner.kind = t.k and owner.id = t.i""",
        *db.columns(rows, 4),
    )


def _owners(dirty: Dirty) -> Iterator[Owner]:
    """In the order in which they are locked: by kind, then by id."""
    kinds: dict[str, Iterable[UUID]] = {
        **dirty.records,
        "mentorship": dirty.mentorships,
        "organization": dirty.organizations,
        "person": dirty.persons,
    }
    for kind in sorted(kinds):
        yield from (Owner(kind, ident) for ident in in_order(kinds[kind]))


async def _locked(connection: Connection, owners: list[Owner]) -> dict[Owner, Share]:
    """A row that is not there yet cannot be locked: stubs first."""
    columns = db.columns(owners, 2)
    await connection.execute(
        """insert into owner (kind, id) select * from unnest($1::text[], $2::uuid[])
           on conflict do nothing""",
        *columns,
    )
    rows = await connection.fetch(
        """select o.kind, o.id, o.pattern, o.organizations from owner o
           join unnest($1::text[], $2::uuid[]) as t(k, i) on o.kind = t.k and o.id = t.i
           order by o.kind collate "C", o.id for update of o""",
        *columns,
    )
    return {Owner(kind, ident): Share(pattern, tuple(at)) for kind, ident, pattern, at in rows}


async def _folded(connection: Connection, dirty: Dirty, shares: Shares) -> dict[Owner, Share]:
    found: dict[Owner, Share] = {}
    for kind, records in dirty.records.items():
        for ident, state in records.items():
            if state is not None:
                found[Owner(kind, ident)] = shares.record(kind, state)
    for ident, facts in (await _person_facts(connection, in_order(dirty.persons))).items():
        found[Owner("person", ident)] = shares.person(facts)
    held = await _held(connection, dirty.mentorships)
    for ident, state in (await sessions.states(connection, dirty.mentorships)).items():
        found[Owner("mentorship", ident)] = shares.mentorship(state, held.get(ident, {}))
    for ident, assessed in (await _assessed(connection, dirty.organizations, True)).items():
        found[Owner("organization", ident)] = shares.assessed(assessed)
    return found


async def _person_facts(connection: Connection, idents: list[UUID]) -> dict[UUID, persons.Facts]:
    """Of the persons that are known."""
    if not idents:
        return {}
    known = await connection.fetch(
        "select id, state from participant where id = any($1) and state is not null", idents
    )
    held: dict[tuple[UUID, UUID], dict[int, int]] = defaultdict(dict)
    for row in await connection.fetch(
        "select * from attendance where participant_id = any($1) and held > 0", idents
    ):
        held[row["participant_id"], row["mentorship_id"]][row["school_month"]] = row["held"]
    pairs = await connection.fetch(
        "select participant_id, mentorship_id from mentorship_member"
        " where participant_id = any($1)",
        idents,
    )
    surveys = await _surveys(connection, idents)
    assessed = await _assessed(connection, set(idents), False)
    named = {
        s.mentorship_id for found in (surveys, assessed) for given in found.values() for s in given
    }
    states = await sessions.states(
        connection, {row["mentorship_id"] for row in pairs} | {n for n in named if n}
    )
    parts: dict[UUID, list[persons.Engagement]] = defaultdict(list)
    for person, mentorship in pairs:
        if mentorship in states:
            parts[person] += persons.engagements(
                states[mentorship], person, held[person, mentorship]
            )
    return {
        row["id"]: persons.Facts(
            _PARTICIPANT.decode(row["state"]),
            parts[row["id"]],
            surveys[row["id"]],
            assessed[row["id"]],
            states,
        )
        for row in known
    }


async def _held(connection: Connection, idents: Iterable[UUID]) -> dict[UUID, Counter[int]]:
    """Mentorship → school month → held sessions."""
    rows = await connection.fetch(
        """select mentorship_id, array_agg(day) from session
           where mentorship_id = any($1) and held group by mentorship_id""",
        list(idents),
    )
    return {mentorship: mentorships.held_in(days) for mentorship, days in rows}


async def _surveys(connection: Connection, idents: list[UUID]) -> dict[UUID, list[SurveyState]]:
    rows = await connection.fetch(
        "select person_id, state from survey where person_id = any($1) and state is not null",
        idents,
    )
    found: dict[UUID, list[SurveyState]] = defaultdict(list)
    for person, text in rows:
        state = _SURVEY.decode(text)
        if state.status == "valid":
            found[person].append(state)
    return found


async def _assessed(
    connection: Connection, idents: set[UUID], of_organization: bool
) -> dict[UUID, list[AssessmentState]]:
    found: dict[UUID, list[AssessmentState]] = defaultdict(list)
    if not idents:
        return found
    rows = await connection.fetch(
        """select subject_id, state from assessment
           where subject_id = any($1) and of_organization = $2 and state is not null""",
        list(idents),
        of_organization,
    )
    for subject, text in rows:
        state = _ASSESSMENT.decode(text)
        if state.status == "valid":
            found[subject].append(state)
    return found


async def _write_cells(connection: Connection, delta: Cells) -> int:
    rows = [(*cell, delta[cell]) for cell in sorted(delta, key=cells.order)]
    if not rows:
        return 0
    await connection.execute(
        """insert into cell as stored (organization_id, school_month, slice, measure, value)
           select * from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::bigint[])
           on conflict (organization_id, school_month, slice, measure)
           do update set value = stored.value + excluded.value""",
        *db.columns(rows, 5),
    )
    await connection.execute(
        "insert into stale (organization_id) select unnest($1::uuid[])",
        list({cell.organization_id for cell in delta}),
    )
    return len(rows)
