"""The org tree as it stood in a school year, and who lies under whom. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from nastavnik_common.events.registry import OrganizationState
from nastavnik_metrics import months


class Tree:
    """Units of one school year; a unit stands where it was placed on the census date."""

    def __init__(
        self, units: Mapping[UUID, OrganizationState], year: int, census: tuple[int, int]
    ) -> None:
        self.units = units
        self.year = year
        self._children: dict[UUID, list[UUID]] = defaultdict(list)
        self._parent: dict[UUID, UUID] = {}
        for unit in units.values():
            parent = _parent(unit, year, census)
            if parent is not None:
                self._children[parent].append(unit.id)
                self._parent[unit.id] = parent

    def children(self, unit: UUID) -> list[UUID]:
        return self._children.get(unit, [])

    def placed(self, unit: UUID) -> bool:
        return unit in self._parent

    def ancestors(self, unit: UUID) -> Iterator[UUID]:
        """From the unit itself up to the root."""
        seen: set[UUID] = set()
        at: UUID | None = unit
        while at is not None and at not in seen:
            seen.add(at)
            yield at
            at = self._parent.get(at)

    def organizations(self, unit: UUID) -> Iterator[OrganizationState]:
        """The organisations under the unit, itself included. The tree has no cycles that the
        registry would allow; should one arrive, nothing is counted twice."""
        seen: set[UUID] = set()
        waiting = [unit]
        while waiting:
            at = waiting.pop()
            if at in seen:
                continue
            seen.add(at)
            state = self.units.get(at)
            if state is not None and state.level == "organization":
                yield state
            waiting.extend(self.children(at))

    def with_ancestors(self, units: Iterable[UUID]) -> list[UUID]:
        """The units and all above them that are known, each once, in a stable order."""
        return sorted({a for unit in units for a in self.ancestors(unit) if a in self.units})


class Closure(NamedTuple):
    """Pairs (unit, organisation under it), as columns; and how many of each kind are placed."""

    units: list[UUID]
    organizations: list[UUID]
    kinds: list[str]
    placed: list[bool]
    counts: dict[UUID, dict[str, int]]


def closure(tree: Tree, units: Iterable[UUID], only: str | None = None) -> Closure:
    """`only`: organisations of this kind."""
    found = Closure([], [], [], [], {})
    for unit in units:
        counts: dict[str, int] = defaultdict(int)
        for organization in tree.organizations(unit):
            kind = organization.kind or "other"
            if only not in (None, kind):
                continue
            found.units.append(unit)
            found.organizations.append(organization.id)
            found.kinds.append(kind)
            found.placed.append(tree.placed(organization.id))
            counts[kind] += tree.placed(organization.id)
        found.counts[unit] = counts
    return found


def _parent(unit: OrganizationState, year: int, census: tuple[int, int]) -> UUID | None:
    for placement in unit.placements:
        first, end = months.counted(placement.since, placement.until, census)
        if first <= 12 * year < end:
            return placement.parent_id
    return None
