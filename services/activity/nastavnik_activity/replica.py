"""What is known here of the registry: which organisations and participants exist.

Records become rows by version: the highest wins, so repeats and disorder are harmless. A tombstone
leaves a marker with its version. What cannot be read is parked as a dead letter, with its origin.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from prometheus_client import CollectorRegistry, Counter
from sqlalchemy import exists, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity import tables
from nastavnik_common import dead_letters
from nastavnik_common.events import ORGANIZATION, PARTICIPANT, Kind
from nastavnik_common.events.reading import Reading, Record, UnreadableError, read
from nastavnik_common.events.registry import Placement

KINDS: tuple[Kind[Any], ...] = (ORGANIZATION, PARTICIPANT)


class Metrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter(
            "nastavnik_replica_records",
            "Records of the registry's topics: applied, stale, of unknown type, or parked",
            ["topic", "outcome"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "nastavnik_dead_letters", "Records put aside", ["topic", "code"], registry=registry
        )


@dataclass(frozen=True)
class _Fact:
    """The newest state of one aggregate. `level` and `placements` of an organisation, `consents`
    and `withdrawn` of a participant, that is not deleted."""

    version: int
    deleted: bool
    level: str | None
    placements: tuple[Placement, ...]
    consents: tuple[str, ...]
    withdrawn: tuple[str, ...]


@dataclass
class Applied:
    """What became of a batch: counts by topic and outcome, parked ones by topic and code."""

    outcomes: dict[tuple[str, str], int] = field(default_factory=dict)
    parked: dict[tuple[str, str], int] = field(default_factory=dict)

    def count(self, metrics: Metrics) -> None:
        for (topic, outcome), count in self.outcomes.items():
            metrics.records.labels(topic, outcome).inc(count)
        for (topic, code), count in self.parked.items():
            metrics.dead_letters.labels(topic, code).inc(count)


async def apply(tx: AsyncSession, records: Sequence[Record]) -> Applied:
    """Bring the replica to the records of the two topics, within the caller's transaction."""
    newest: dict[str, dict[UUID, _Fact]] = {kind.topic: {} for kind in KINDS}
    seen = dict.fromkeys(newest, 0)
    done = Applied()
    for record in records:
        try:
            found = read(record)
        except UnreadableError as error:
            await _park(tx, record, error)
            _add(done.outcomes, (record.topic, "parked"), 1)
            _add(done.parked, (record.topic, error.code), 1)
            continue
        if found is None:
            _add(done.outcomes, (record.topic, "unknown"), 1)
            continue
        seen[record.topic] += 1
        _keep(newest[record.topic], found)
    for topic, facts in newest.items():
        if facts:
            applied = await _upsert(tx, topic, facts)
            _add(done.outcomes, (topic, "applied"), applied)
            _add(done.outcomes, (topic, "stale"), seen[topic] - applied)
    return done


def _keep(facts: dict[UUID, _Fact], found: Reading) -> None:
    ident, version, state = found.envelope.subject, found.envelope.version, found.state
    if ident not in facts or facts[ident].version < version:
        told = (getattr(state, name, ()) for name in ("placements", "consents", "withdrawn"))
        facts[ident] = _Fact(version, state is None, getattr(state, "level", None), *told)


def _add(counts: dict[tuple[str, str], int], key: tuple[str, str], number: int) -> None:
    counts[key] = counts.get(key, 0) + number


async def _park(tx: AsyncSession, record: Record, error: UnreadableError) -> None:
    """Once, though a batch may come again after a crash between its transaction and its commit."""
    letter = tables.dead_letter.c
    there = exists().where(
        letter.topic == record.topic,
        letter.partition == record.partition,
        letter.offset == record.offset,
        letter.key.is_not_distinct_from(record.key),
        letter.value.is_not_distinct_from(record.value),
    )
    if not await tx.scalar(select(there)):
        await dead_letters.park(
            tx, tables.dead_letter, tables.outbox, record, error.code, str(error)
        )


_UPSERT = {
    ORGANIZATION.topic: text(
        """
        insert into replica_organization as stored
            (id, version, deleted, level, parents, parents_since, parents_until)
        select unit.*, coalesce(placed.parents, '{}'), coalesce(placed.since, '{}'),
               coalesce(placed.until, '{}')
        from unnest(cast(:ids as uuid[]), cast(:versions as bigint[]),
                    cast(:deleted as boolean[]), cast(:levels as text[])) as unit(id, v, d, l)
        left join (
            select id, array_agg(parent) as parents, array_agg(since) as since,
                   array_agg(until) as until
            from unnest(cast(:placed as uuid[]), cast(:parents as uuid[]),
                        cast(:since as date[]), cast(:until as date[]))
                as placement(id, parent, since, until)
            group by id
        ) as placed on placed.id = unit.id
        on conflict (id) do update
            set version = excluded.version, deleted = excluded.deleted, level = excluded.level,
                parents = excluded.parents, parents_since = excluded.parents_since,
                parents_until = excluded.parents_until
            where excluded.version > stored.version
        returning 1
        """
    ),
    PARTICIPANT.topic: text(
        """
        insert into replica_participant as stored (id, version, deleted, consents, withdrawn)
        select id, v, d, string_to_array(c, ' '), string_to_array(w, ' ')
        from unnest(cast(:ids as uuid[]), cast(:versions as bigint[]), cast(:deleted as boolean[]),
                    cast(:consents as text[]), cast(:withdrawn as text[])) as person(id, v, d, c, w)
        on conflict (id) do update
            set version = excluded.version, deleted = excluded.deleted,
                consents = excluded.consents, withdrawn = excluded.withdrawn
            where excluded.version > stored.version
        returning 1
        """
    ),
}


async def _upsert(tx: AsyncSession, topic: str, facts: dict[UUID, _Fact]) -> int:
    """In the order of ids, so that two consumers never wait for each other in a circle."""
    ordered = sorted(facts.items(), key=lambda item: item[0])
    parameters: dict[str, list[Any]] = {
        "ids": [ident for ident, _ in ordered],
        "versions": [fact.version for _, fact in ordered],
        "deleted": [fact.deleted for _, fact in ordered],
    }
    if topic == ORGANIZATION.topic:
        parameters["levels"] = [fact.level for _, fact in ordered]
        placed = [(ident, p) for ident, fact in ordered for p in fact.placements]
        parameters["placed"] = [ident for ident, _ in placed]
        parameters["parents"] = [placement.parent_id for _, placement in placed]
        parameters["since"] = [placement.since for _, placement in placed]
        parameters["until"] = [placement.until for _, placement in placed]
    else:  # codes have no spaces; arrays of arrays would have to be of one length
        parameters["consents"] = [" ".join(fact.consents) for _, fact in ordered]
        parameters["withdrawn"] = [" ".join(fact.withdrawn) for _, fact in ordered]
    return len((await tx.execute(_UPSERT[topic], parameters)).all())
