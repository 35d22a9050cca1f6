"""What a batch leaves to be folded again."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from nastavnik_metrics.patterns import Share

Connection = Any


@dataclass(slots=True)
class Dirty:
    """Owners whose shares of the cells may no longer be right, and shares that are known to have
    come (positive) or gone (negative)."""

    persons: set[UUID] = field(default_factory=set)
    mentorships: set[UUID] = field(default_factory=set)
    organizations: set[UUID] = field(default_factory=set)
    records: dict[str, dict[UUID, Any]] = field(default_factory=dict)
    """Aggregates that own cells by themselves: kind → id → state; None when deleted."""
    shares: Counter[Share] = field(default_factory=Counter)


def in_order(idents: Iterable[UUID]) -> list[UUID]:
    return sorted(idents, key=lambda ident: ident.int)
