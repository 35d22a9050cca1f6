"""Set-based writes of the facts of one batch. Returns whose figures must be folded again.

Rows that two replicas may touch are written in key order.
"""

from typing import Any

from nastavnik_common import db, events
from nastavnik_metrics import sessions
from nastavnik_metrics.batch import Batch, Change
from nastavnik_metrics.dirty import Connection, Dirty
from nastavnik_metrics.shares import Shares


async def write(connection: Connection, batch: Batch, shares: Shares) -> Dirty:
    """Write what is newer than what is stored. The caller holds the transaction and has locked
    the positions."""
    dirty = Dirty()
    await _directory(connection, batch)
    persons = await _newer(connection, batch, events.PARTICIPANT, "participant")
    dirty.persons.update(c.id for c in persons)
    await _mentorships(connection, batch, dirty)
    await sessions.write(connection, batch, shares, dirty)
    await _surveys(connection, batch, dirty)
    await _assessments(connection, batch, dirty)
    for kind in (events.PROGRAMME, events.GATHERING, events.CONTRIBUTION):
        newer = await _newer(connection, batch, kind, kind.name)
        dirty.records[kind.name] = {c.id: c.state for c in newer}
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
