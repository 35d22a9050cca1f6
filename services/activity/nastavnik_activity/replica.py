"""What is known here of the registry: which organisations and participants exist.

Records become rows by version: the highest wins, so repeats and disorder are harmless. A tombstone
leaves a marker with its version. What cannot be read is parked as a dead letter, with its origin.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from prometheus_client import CollectorRegistry, Counter
from sqlalchemy import exists, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity import tables
from nastavnik_activity.domain.lines import explain
from nastavnik_common import dead_letters, events
from nastavnik_common.dead_letters import Record
from nastavnik_common.events import ORGANIZATION, PARTICIPANT, Kind
from nastavnik_common.events.envelope import EnvelopeError, parse
from nastavnik_common.events.registry import OrganizationState, ParticipantState

KINDS: tuple[Kind[OrganizationState], Kind[ParticipantState]] = (ORGANIZATION, PARTICIPANT)
_DECODERS = {kind.topic: msgspec.json.Decoder(kind.state) for kind in KINDS}
_MAX_VERSION = 2**63 - 1


class Metrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter(
            "replica_records",
            "Records of the registry's topics: applied, stale or parked",
            ["topic", "outcome"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "dead_letters", "Records put aside", ["topic", "code"], registry=registry
        )


class _UnreadableError(Exception):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class _Fact:
    """The newest state of one aggregate. `level` of an organisation that is not deleted."""

    version: int
    deleted: bool
    level: str | None


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
            ident, fact = _read(record)
        except _UnreadableError as error:
            await _park(tx, record, error)
            _add(done.outcomes, (record.topic, "parked"), 1)
            _add(done.parked, (record.topic, error.code), 1)
            continue
        seen[record.topic] += 1
        facts = newest[record.topic]
        if ident not in facts or facts[ident].version < fact.version:
            facts[ident] = fact
    for topic, facts in newest.items():
        if facts:
            applied = await _upsert(tx, topic, facts)
            _add(done.outcomes, (topic, "applied"), applied)
            _add(done.outcomes, (topic, "stale"), seen[topic] - applied)
    return done


def _add(counts: dict[tuple[str, str], int], key: tuple[str, str], number: int) -> None:
    counts[key] = counts.get(key, 0) + number


def _read(record: Record) -> tuple[UUID, _Fact]:
    kind = events.BY_TOPIC[record.topic]
    try:
        envelope = parse(record.headers)
    except EnvelopeError as error:
        raise _UnreadableError(error.code, _reason(error)) from error
    if envelope.kind != kind.name:
        raise _UnreadableError("event.wrong_topic", f"not an event of a {kind.name}")
    if record.key != str(envelope.subject).encode():
        raise _UnreadableError("event.bad_key", "the key is not ce_subject")
    if envelope.version > _MAX_VERSION:
        raise _UnreadableError("event.bad_version", "ce_sequence is beyond 63 bits")
    if record.value is None:
        return envelope.subject, _Fact(envelope.version, True, None)
    try:
        state = _DECODERS[record.topic].decode(record.value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = explain(error) if isinstance(error, msgspec.DecodeError) else "not JSON"
        raise _UnreadableError("event.bad_state", reason) from error
    if (state.id, state.version) != (envelope.subject, envelope.version):
        raise _UnreadableError("event.mismatch", "the state's id or version is not the header's")
    return state.id, _Fact(state.version, False, getattr(state, "level", None))


def _reason(error: EnvelopeError) -> str:
    """Without what the standard library quotes from the record."""
    quotes = isinstance(error.__cause__, ValueError) and not isinstance(
        error.__cause__, UnicodeDecodeError
    )
    return "a header has a malformed value" if quotes else str(error)


async def _park(tx: AsyncSession, record: Record, error: _UnreadableError) -> None:
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
        insert into replica_organization as stored (id, version, deleted, level)
        select * from unnest(cast(:ids as uuid[]), cast(:versions as bigint[]),
                             cast(:deleted as boolean[]), cast(:levels as text[]))
        on conflict (id) do update
            set version = excluded.version, deleted = excluded.deleted, level = excluded.level
            where excluded.version > stored.version
        returning 1
        """
    ),
    PARTICIPANT.topic: text(
        """
        insert into replica_participant as stored (id, version, deleted)
        select * from unnest(cast(:ids as uuid[]), cast(:versions as bigint[]),
                             cast(:deleted as boolean[]))
        on conflict (id) do update set version = excluded.version, deleted = excluded.deleted
            where excluded.version > stored.version
        returning 1
        """
    ),
}


async def _upsert(tx: AsyncSession, topic: str, facts: dict[UUID, _Fact]) -> int:
    """In the order of ids, so that two consumers never wait for each other in a circle."""
    ordered = sorted(facts.items(), key=lambda item: item[0])
    parameters = {
        "ids": [ident for ident, _ in ordered],
        "versions": [fact.version for _, fact in ordered],
        "deleted": [fact.deleted for _, fact in ordered],
    }
    if topic == ORGANIZATION.topic:
        parameters["levels"] = [fact.level for _, fact in ordered]
    return len((await tx.execute(_UPSERT[topic], parameters)).all())
