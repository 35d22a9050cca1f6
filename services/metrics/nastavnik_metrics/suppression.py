"""Figures for publication: nothing about fewer than `K` people, nor what it follows from. Pure.

A figure tells of its numerator and of the rest of its denominator; where either is between 1 and
K − 1 it is suppressed. Units add up to the one above them: if one of them is suppressed alone, that
one would give it away, so the smallest of the others goes too, or the one above when there is no
other; and where the one above is suppressed, so is one of those that add up to it. All of this is
decided on the whole tree, so that whatever is asked for, in whatever order, the answers fit.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import msgspec

from nastavnik_common.events.metrics import IndicatorValueState

K = 5
Children = Mapping[UUID, Sequence[UUID]]
_Family = Mapping[UUID, IndicatorValueState]


def suppressed(
    values: Sequence[IndicatorValueState],
    children: Children,
    people: Collection[str],
    k: int = K,
) -> list[IndicatorValueState]:
    """The values of the units of a tree, safe to publish together. `children`: unit → those right
    below it; `people`: the codes of the indicators that are about people, others give nobody
    away."""
    families: dict[tuple[str, str], dict[UUID, IndicatorValueState]] = defaultdict(dict)
    for value in values:
        if value.indicator in people:
            families[value.indicator, value.form][value.organization_id] = value
    hidden = {
        family[unit].id for family in families.values() for unit in _hidden(family, children, k)
    }
    return [_hide(v) if v.id in hidden else v for v in values]


def _hidden(family: _Family, children: Children, k: int) -> set[UUID]:
    hidden = {unit for unit, value in family.items() if _small(value, k)}
    while more := {
        unit
        for parent, below in children.items()
        if parent in family and (unit := _telling(family, parent, below, hidden)) is not None
    }:
        hidden |= more
    return hidden


def _telling(
    family: _Family, parent: UUID, below: Sequence[UUID], hidden: Collection[UUID]
) -> UUID | None:
    """The unit that has to go as well, because one that is hidden would follow from it."""
    counted = [family[u] for u in below if u in family]
    telling = [v for v in counted if v.numerator or v.denominator]
    gone = sum(v.organization_id in hidden for v in telling)
    if not telling or gone != (0 if parent in hidden else 1):
        return None
    shown = [v for v in telling if v.organization_id not in hidden]
    if not shown:
        return parent
    return min(shown, key=lambda v: (v.denominator, v.numerator, v.id)).organization_id


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
