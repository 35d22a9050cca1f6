"""Sums of cells under a unit → indicator values. Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from nastavnik_common.events.metrics import ValueState
from nastavnik_metrics.catalogue.model import ALL_FORMS, Indicator, Term


class Sum(NamedTuple):
    persons: int
    organizations_with: int


class Sums(NamedTuple):
    """All that is under one unit in one school year."""

    measured: Mapping[tuple[str, str, str], Sum]
    """(kind of organisation, form, measure) → sum."""
    organizations: Mapping[str, int]
    """Kind → organisations placed in the tree."""


class Value(NamedTuple):
    form: str
    numerator: int
    denominator: int
    percent: float | None
    state: ValueState
    reason: str | None


def evaluate(indicator: Indicator, sums: Sums, form: str = ALL_FORMS) -> Value:
    """One value. The denominator is the population, so it is the same in every form."""
    numerator = sum(_term(term, sums, form) for term in indicator.numerator)
    denominator = sum(_term(term, sums, ALL_FORMS) for term in indicator.denominator)
    if denominator == 0:
        return Value(form, numerator, 0, None, "no_data", "population.empty")
    percent = round(100 * numerator / denominator, 2)
    return Value(form, numerator, denominator, percent, "ok", None)


def forms_present(sums: Sums) -> list[str]:
    """`all` first, then every form in which somebody was engaged."""
    found = {form for (_, form, _), total in sums.measured.items() if total.persons}
    return [ALL_FORMS, *sorted(found - {ALL_FORMS})]


def _term(term: Term, sums: Sums, form: str) -> int:
    if term.count == "organizations":
        return sum(_chosen(term, sums.organizations.items()))
    totals = [
        (kind, total)
        for (kind, at_form, measure), total in sums.measured.items()
        if at_form == form and measure == term.measure
    ]
    if term.count == "persons":
        return sum(_chosen(term, ((kind, total.persons) for kind, total in totals)))
    return sum(_chosen(term, ((kind, total.organizations_with) for kind, total in totals)))


def _chosen(term: Term, by_kind: Iterable[tuple[str, int]]) -> list[int]:
    return [n for kind, n in by_kind if not term.organizations or kind in term.organizations]
