"""Sums of cells under a unit → indicator values. Pure."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from nastavnik_common.events.metrics import Change, ValueState
from nastavnik_metrics.catalogue.model import ALL, Effect, Indicator, Term, Unit


class Sum(NamedTuple):
    total: int
    organizations_with: int


class Sums(NamedTuple):
    """All that is under one unit at the end of one school month."""

    measured: Mapping[str, Mapping[str, Mapping[str, Sum]]]
    """Slice → measure → kind of organisation → sum."""
    organizations: Mapping[str, int]
    """Kind → organisations placed in the tree."""
    sliced: Mapping[str, bool]
    """Measure → whether it is counted by slices."""


class Value(NamedTuple):
    slice: str
    numerator: int
    denominator: int
    value: float | None
    state: ValueState
    reason: str | None
    change: Change | None


def evaluate(indicator: Indicator, sums: Sums, at: str = ALL) -> Value:
    """One value in one slice."""
    numerator = _sum(indicator.numerator, sums, at)
    change = _change(indicator.effect, sums, at) if indicator.effect else None
    if not indicator.denominator:
        value = _value(indicator.unit, numerator, 1)
        return Value(at, numerator, 1, value, "ok", None, change)
    denominator = _sum(indicator.denominator, sums, at)
    if denominator:
        value = _value(indicator.unit, numerator, denominator)
        return Value(at, numerator, denominator, value, "ok", None, change)
    if _sum(indicator.waiting, sums, at):
        return Value(at, numerator, 0, None, "too_early", "too_young_to_judge", change)
    return Value(at, numerator, 0, None, "no_data", "denominator.zero", change)


def slices_present(indicator: Indicator, sums: Sums) -> list[str]:
    """`all` first, then every slice in which the indicator counts anything."""
    wanted = {term.measure for term in (*indicator.numerator, *indicator.waiting)}
    wanted |= {t.measure for t in indicator.denominator if sums.sliced.get(t.measure or "")}
    found = {
        at
        for at, measured in sums.measured.items()
        if any(measure in measured for measure in wanted)
    }
    return [ALL, *sorted(found - {ALL})]


def completeness(indicator: Indicator, sums: Sums) -> tuple[int, int]:
    """(organisations with data, organisations) of the kinds the denominator takes."""
    basis = indicator.denominator or indicator.numerator
    named: set[str] = {kind for term in basis for kind in term.organizations}
    kinds = named or set(sums.organizations)
    reporting = 0
    for kind in kinds:
        with_data = [
            _in(term, sums, ALL).get(kind, _NOTHING).organizations_with
            for term in basis
            if term.measure is not None
        ]
        reporting += max(with_data, default=sums.organizations.get(kind, 0))
    return reporting, sum(sums.organizations.get(kind, 0) for kind in kinds)


_NOTHING = Sum(0, 0)


def _sum(terms: Iterable[Term], sums: Sums, at: str) -> int:
    return sum(_term(term, sums, at) for term in terms)


def _term(term: Term, sums: Sums, at: str) -> int:
    if term.count == "organizations":
        return sum(_chosen(term, sums.organizations.items()))
    found = _in(term, sums, at).items()
    if term.count == "measured":
        return term.times * sum(_chosen(term, ((kind, s.total) for kind, s in found)))
    return sum(_chosen(term, ((kind, s.organizations_with) for kind, s in found)))


def _in(term: Term, sums: Sums, at: str) -> Mapping[str, Sum]:
    """Kind → sum; what is not sliced is taken from `all`."""
    measure = term.measure or ""
    where = at if sums.sliced.get(measure) else ALL
    return sums.measured.get(where, {}).get(measure, {})


def _chosen(term: Term, by_kind: Iterable[tuple[str, int]]) -> list[int]:
    return [n for kind, n in by_kind if not term.organizations or kind in term.organizations]


def _value(unit: Unit, numerator: int, denominator: int) -> float:
    match unit:
        case "percent":
            return round(100 * numerator / denominator, 2)
        case "quotient":
            return round(numerator / denominator, 2)
        case "points":
            return round(numerator / denominator / 100, 2)
        case "rub":
            return numerator / 100
        case "hours":
            return round(numerator / 60, 2)
        case "count":
            return float(numerator)


def _change(effect: Effect, sums: Sums, at: str) -> Change:
    n, total, squares = (
        _term(Term(measure=code), sums, at) for code in (effect.pairs, effect.sum, effect.squares)
    )
    mean = round(total / n / 100, 2) if n else None
    return Change(
        count=n, sum=total, squares=squares, mean=mean, effect_size=_size(n, total, squares)
    )


def _size(n: int, total: int, squares: int) -> float | None:
    """Mean of the changes over their sample standard deviation; integers up to the last step."""
    spread = n * squares - total * total
    if n < 2 or spread <= 0:
        return None
    return round(total / n / math.sqrt(spread / (n * (n - 1))), 3)
