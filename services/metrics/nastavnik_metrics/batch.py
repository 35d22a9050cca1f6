"""Records of one poll → the newest state of each aggregate in it, and what cannot be read. Pure."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from nastavnik_common.dead_letters import Record
from nastavnik_common.events import BY_TOPIC, DELETED, KINDS
from nastavnik_common.events.base import State
from nastavnik_common.events.envelope import Envelope, EnvelopeError, parse

CONSUMER = "metrics"
TOPICS = tuple(kind.topic for kind in KINDS if CONSUMER in kind.consumers)
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    topic: msgspec.json.Decoder(BY_TOPIC[topic].state) for topic in TOPICS
}
_TYPES = {topic: {BY_TOPIC[topic].type(v) for v in BY_TOPIC[topic].verbs} for topic in TOPICS}


class PoisonError(ValueError):
    """A record that can never be read."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Change(NamedTuple):
    """The newest version of an aggregate in the batch; `state` is None for a tombstone."""

    id: UUID
    version: int
    state: Any
    raw: str | None


class Poison(NamedTuple):
    record: Record
    code: str
    detail: str


class Tally:
    """What became of the records of one partition."""

    __slots__ = ("applied", "next_offset", "parked", "skipped", "superseded")

    def __init__(self, next_offset: int) -> None:
        self.next_offset = next_offset
        self.applied = self.superseded = self.parked = self.skipped = 0


class Batch:
    """Changes by topic and id, poison, and a tally per (topic, partition)."""

    def __init__(self, positions: dict[tuple[str, int], int]) -> None:
        self.changes: dict[str, dict[UUID, Change]] = {topic: {} for topic in TOPICS}
        self.origin: dict[tuple[str, UUID], tuple[str, int]] = {}
        self.poison: list[Poison] = []
        self.tallies = {at: Tally(offset) for at, offset in positions.items()}

    def add(self, records: Iterable[Record]) -> None:
        for record in records:
            tally = self.tallies[record.topic, record.partition]
            if record.offset < tally.next_offset:
                continue  # read again after a rebalance, or by a zombie: already in the figures
            tally.next_offset = record.offset + 1
            try:
                self._take(record, tally)
            except PoisonError as error:
                tally.parked += 1
                self.poison.append(Poison(record, error.code, str(error)))

    def _take(self, record: Record, tally: Tally) -> None:
        change = read(record)
        if change is None:
            tally.skipped += 1
            return
        newest = self.changes[record.topic]
        known = newest.get(change.id)
        if known is not None and known.version >= change.version:
            tally.superseded += 1
            return
        if known is not None:
            self.superseded(record.topic, change.id)
        newest[change.id] = change
        self.origin[record.topic, change.id] = (record.topic, record.partition)
        tally.applied += 1

    def superseded(self, topic: str, ident: UUID) -> None:
        """A change that was counted as applied turned out to be older than what is known."""
        tally = self.tallies[self.origin[topic, ident]]
        tally.applied -= 1
        tally.superseded += 1


def read(record: Record) -> Change | None:
    """One record → change; None for a type this version does not know; PoisonError."""
    try:
        envelope = parse(record.headers)
    except EnvelopeError as error:
        raise PoisonError(error.code, str(error)) from error
    if envelope.type not in _TYPES[record.topic]:
        return None
    if record.key is None or record.key.decode("utf-8", "replace") != str(envelope.subject):
        raise PoisonError("event.key_mismatch", "the key is not ce_subject")
    if record.value is None:
        return Change(envelope.subject, envelope.version, None, None)
    if envelope.type.split(".")[2] == DELETED:
        raise PoisonError("event.tombstone_with_value", "a deletion carries no value")
    return _decoded(record.topic, record.value, envelope)


def _decoded(topic: str, value: bytes, envelope: Envelope) -> Change:
    try:
        state: State = _DECODERS[topic].decode(value)
        text = value.decode()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PoisonError("event.bad_value", _without_value(error)) from error
    if state.id != envelope.subject or state.version != envelope.version:
        raise PoisonError("event.identity_mismatch", "id or version differ from the headers")
    if "\\u0000" in text:
        raise PoisonError("event.nul_character", "a string holds the NUL character")
    return Change(state.id, state.version, state, text)


def _without_value(error: Exception) -> str:
    """msgspec names the place and the expected form, never the value."""
    return str(error) if isinstance(error, msgspec.ValidationError) else "not JSON"
