"""What an import changes, record by record: the trace of one that ran, the plan of a dry run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db
from nastavnik_common.outbox import Outbox

Fields = Mapping[str, Any]
_ADDED = ("import_id", "seq", "kind", "entity_id", "version", "action", "outside", "file", "line")
_COLUMNS = (*_ADDED, "before", "after", "hash", "restored")
_encode = msgspec.json.Encoder().encode


class Place(NamedTuple):
    """Where a record came from: the outside id, and the line that names it."""

    outside: str
    file: str
    line: int | None


class Ledger:
    """Entries of one import, in order. `dry`: nothing but these entries may be written."""

    def __init__(self, import_id: UUID, *, dry: bool) -> None:
        self.import_id, self.dry = import_id, dry
        self._counts: Counter[tuple[str, str]] = Counter()
        self._rows: list[tuple[Any, ...]] = []
        self._new: list[tuple[Any, ...]] = []
        self._seq = 0

    @property
    def seq(self) -> int:
        """Of the last entry."""
        return self._seq

    def counted(self, kind: str, action: str, number: int) -> None:
        """That many entries were written by others, numbered from the next on."""
        self._seq += number
        self._counts[kind, action] += number

    def added(self, kind: str, records: Sequence[tuple[UUID, Place]]) -> None:
        """Records that are new, at version 1: the many of a first load."""
        first = self._seq + 1
        self._new += [
            (self.import_id, seq, kind, ident, 1, "added", *place)
            for seq, (ident, place) in enumerate(records, first)
        ]
        self._seq += len(records)
        self._counts[kind, "added"] += len(records)

    def add(
        self,
        kind: str,
        action: str,
        ident: UUID,
        version: int | None,
        place: Place,
        before: Fields | None = None,
        after: Fields | None = None,
        *,
        hash: bytes | None = None,
        restored: int | None = None,
    ) -> None:
        self._seq += 1
        self._counts[kind, action] += 1
        head = (self.import_id, self._seq, kind, ident, version, action, *place)
        self._rows.append((*head, _json(before), _json(after), hash, restored))

    def count(self, kind: str, *actions: str) -> int:
        return sum(self._counts[kind, action] for action in actions)

    async def flush(self, tx: AsyncSession) -> None:
        """Write the entries added since the last time."""
        for rows, columns in ((self._new, _ADDED), (self._rows, _COLUMNS)):
            if rows:
                raw = await db.driver(tx)
                await raw.copy_records_to_table(
                    "import_change", records=rows, columns=list(columns)
                )
                rows.clear()


class Target(NamedTuple):
    """Where an import writes."""

    tx: AsyncSession
    outbox: Outbox
    source: str
    today: date
    ledger: Ledger


def _json(fields: Fields | None) -> str | None:
    return None if fields is None else _encode(fields).decode()


def differing(before: Fields, after: Fields) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that differ, as they were and as they are."""
    names = [name for name in before if before[name] != after[name]]
    return {name: before[name] for name in names}, {name: after[name] for name in names}
