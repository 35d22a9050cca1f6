"""One change to be undone: may it be, and what is entered in the ledger for it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from nastavnik_common import db
from nastavnik_registry.imports.ledger import Place, Target

Restored = Mapping[tuple[UUID, int], int]
_RESTORED = """
    select entity_id, version, restored from import_change
    where entity_id = any($1) and restored is not null
"""


class Change(NamedTuple):
    """A row of import_change. `before` and `after` are JSON."""

    entity_id: UUID
    version: int
    action: str
    outside: str
    file: str
    line: int | None
    before: str | None
    after: str | None
    hash: bytes | None

    @property
    def place(self) -> Place:
        return Place(self.outside, self.file, self.line)

    def obstacle(self, current: int | None, restored: Restored) -> str | None:
        """Why the record cannot become what it was; None: it can."""
        if current is None or self.action == "deleted":
            return "deleted"
        same = current == self.version or restored.get((self.entity_id, current)) == self.version
        return None if same else "changed_since"

    def record(self, target: Target, kind: str, version: int, restored: Restored) -> None:
        """Enter the way back: before and after change places."""
        earlier = self.version - 1
        target.ledger.add(
            kind,
            "restored",
            self.entity_id,
            version,
            self.place,
            msgspec.json.decode(self.after or "{}"),
            msgspec.json.decode(self.before or "{}"),
            restored=restored.get((self.entity_id, earlier), earlier),
        )


def kept(target: Target, kind: str, change: Change, reason: str) -> None:
    """The record stays as it is."""
    target.ledger.add(kind, "kept", change.entity_id, None, change.place, None, {"reason": reason})


async def restored_versions(target: Target, ids: Sequence[UUID]) -> Restored:
    """(id, version that an undo made) → version whose content it brought back."""
    raw = await db.driver(target.tx)
    return {(row[0], row[1]): row[2] for row in await raw.fetch(_RESTORED, ids)}
