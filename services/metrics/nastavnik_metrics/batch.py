"""Records of one poll → the newest state of each aggregate in it, and what cannot be read. Pure."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from nastavnik_common.events import KINDS
from nastavnik_common.events.reading import Reading, Record, UnreadableError, read

CONSUMER = "metrics"
TOPICS = tuple(kind.topic for kind in KINDS if CONSUMER in kind.consumers)


class Change(NamedTuple):
    """The newest version of an aggregate in the batch; `state` is None for a tombstone."""

    id: UUID
    version: int
    state: Any
    record: Record

    @property
    def text(self) -> str | None:
        """The state as JSON, as it came."""
        return self.record.value.decode() if self.record.value is not None else None


class Poison(NamedTuple):
    record: Record
    code: str
    detail: str


class Read(NamedTuple):
    """A record and what it says: an event, None for a type that is not known here, or why it can
    never be read."""

    record: Record
    reading: Reading | UnreadableError | None


def read_all(records: Iterable[Record]) -> list[Read]:
    return [Read(record, _read(record)) for record in records]


def _read(record: Record) -> Reading | UnreadableError | None:
    try:
        return read(record)
    except UnreadableError as error:
        return error


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
        self.correlations: set[str] = set()
        self.traces: set[str] = set()
        self.tallies = {at: Tally(offset) for at, offset in positions.items()}

    def add(self, records: Iterable[Record]) -> None:
        self.take(read_all(records))

    def take(self, reads: Iterable[Read]) -> None:
        for record, reading in reads:
            tally = self.tallies[record.topic, record.partition]
            if record.offset < tally.next_offset:
                continue  # read again after a rebalance, or by a zombie: already in the figures
            tally.next_offset = record.offset + 1
            if isinstance(reading, UnreadableError):
                tally.parked += 1
                self.poison.append(Poison(record, reading.code, str(reading)))
            elif reading is None:
                tally.skipped += 1
            else:
                self._take(record, reading, tally)

    def _take(self, record: Record, reading: Reading, tally: Tally) -> None:
        change = Change(reading.envelope.subject, reading.envelope.version, reading.state, record)
        newest = self.changes[record.topic]
        known = newest.get(change.id)
        if known is not None and known.version >= change.version:
            tally.superseded += 1
            return
        if known is not None:
            self.superseded(record.topic, change.id)
        newest[change.id] = change
        if reading.envelope.correlation_id is not None:
            self.correlations.add(reading.envelope.correlation_id)
        if reading.envelope.traceparent is not None:
            self.traces.add(reading.envelope.traceparent)
        self.origin[record.topic, change.id] = (record.topic, record.partition)
        tally.applied += 1

    def superseded(self, topic: str, ident: UUID) -> None:
        """A change that was counted as applied turned out to be older than what is known."""
        tally = self.tallies[self.origin[topic, ident]]
        tally.applied -= 1
        tally.superseded += 1
