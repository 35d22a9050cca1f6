"""Records of one poll → the newest state of each aggregate in it, and what cannot be read. Pure."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from nastavnik_common.events import KINDS
from nastavnik_common.events.reading import Record, UnreadableError, read

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
        self.tallies = {at: Tally(offset) for at, offset in positions.items()}

    def add(self, records: Iterable[Record]) -> None:
        for record in records:
            tally = self.tallies[record.topic, record.partition]
            if record.offset < tally.next_offset:
                continue  # read again after a rebalance, or by a zombie: already in the figures
            tally.next_offset = record.offset + 1
            try:
                self._take(record, tally)
            except UnreadableError as error:
                tally.parked += 1
                self.poison.append(Poison(record, error.code, str(error)))

    def _take(self, record: Record, tally: Tally) -> None:
        reading = read(record)
        if reading is None:
            tally.skipped += 1
            return
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
        self.origin[record.topic, change.id] = (record.topic, record.partition)
        tally.applied += 1

    def superseded(self, topic: str, ident: UUID) -> None:
        """A change that was counted as applied turned out to be older than what is known."""
        tally = self.tallies[self.origin[topic, ident]]
        tally.applied -= 1
        tally.superseded += 1
