"""Figures for publication: nothing about fewer than `K` people, nor what it follows from. Pure.

A figure tells of its numerator and of the rest of its denominator; where either is between 1 and
K − 1 it is suppressed. Units that add up to a parent are published together: if one of them is
suppressed alone, the parent would give it away, so the smallest of the others goes too; and so
does the parent when there is no other.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec

from nastavnik_common.events.metrics import IndicatorValueState

K = 5


def suppressed(
    values: Sequence[IndicatorValueState], parent: UUID, people: Collection[str], k: int = K
) -> list[IndicatorValueState]:
    """The values of a parent and of the units right below it, safe to publish. `people`: the
    codes of the indicators that are about people; others give nobody away."""
    families: dict[tuple[str, str], list[IndicatorValueState]] = defaultdict(list)
    for value in values:
        if value.indicator in people:
            families[value.indicator, value.form].append(value)
    hidden = {ident for family in families.values() for ident in _hidden(family, parent, k)}
    return [_hide(v) if v.id in hidden else v for v in values]


def _hidden(family: Sequence[IndicatorValueState], parent: UUID, k: int) -> set[UUID]:
    small = {v.id for v in family if _small(v, k)}
    below = [v for v in family if v.organization_id != parent]
    telling = [v for v in below if v.numerator or v.denominator]
    alone = [v for v in telling if v.id in small]
    if len(alone) != 1:
        return small
    others = sorted(
        (v for v in telling if v.id not in small), key=lambda v: (v.denominator, v.numerator, v.id)
    )
    if others:
        return small | {others[0].id}
    return small | {v.id for v in family if v.organization_id == parent}


def _small(value: IndicatorValueState, k: int) -> bool:
    n, d = value.numerator, value.denominator
    match value.unit:
        case "percent":
            counts = [n, d - n]
        case "quotient":
            counts = [n, d]
        case "points":
            counts = [value.change.count if value.change else d]
        case _:
            counts = [n]
    return any(0 < count < k for count in counts)


def _hide(value: IndicatorValueState) -> IndicatorValueState:
    return msgspec.structs.replace(
        value,
        numerator=0,
        denominator=0,
        value=None,
        change=None,
        reference=None,
        pace=None,
        state="suppressed",
        reason="fewer_than_k",
    )
