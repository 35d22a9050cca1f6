"""The newest state of every aggregate, whatever the order and however often changes come."""

from typing import TypeVar, cast
from uuid import UUID

from nastavnik_common.events import Kind
from nastavnik_common.events.base import State
from nastavnik_events.reading import Change

S = TypeVar("S", bound=State)


class Latest:
    """Keeps the highest version seen of each aggregate. A deleted one stays as a marker, so that
    nothing older brings it back."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[UUID, Change]] = {}

    def apply(self, change: Change) -> bool:
        """Whether it was news: False for a duplicate and for what is older than what is kept."""
        kept = self._kept.setdefault(change.kind.name, {})
        known = kept.get(change.id)
        if known is not None and known.version >= change.version:
            return False
        kept[change.id] = change
        return True

    def change(self, kind: Kind[S], ident: UUID) -> Change | None:
        """The newest change, a deletion included."""
        return self._kept.get(kind.name, {}).get(ident)

    def get(self, kind: Kind[S], ident: UUID) -> S | None:
        """The state; None: unknown or deleted."""
        found = self.change(kind, ident)
        return cast(S, found.state) if found is not None and found.state is not None else None

    def states(self, kind: Kind[S]) -> dict[UUID, S]:
        """All that exist, by id."""
        kept = self._kept.get(kind.name, {})
        return {
            ident: cast(S, change.state) for ident, change in kept.items() if not change.deleted
        }

    def deleted(self, kind: Kind[S]) -> set[UUID]:
        return {ident for ident, c in self._kept.get(kind.name, {}).items() if c.deleted}
