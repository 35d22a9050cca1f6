"""What a figure is worth: the value of each kind, and the effect size of a change."""

from math import sqrt

from nastavnik_local.recount import KINDS, Change, Figure


def value_of(indicator: str, figure: Figure) -> float | None:
    """As the table of values in docs/counting.md has it; None: no data."""
    n, d, _ = figure
    kind = KINDS[indicator]
    if not has_denominator(indicator):
        return round(n / {"count": 1, "rub": 100, "hours": 60}[kind], 2)
    if d == 0:
        return None
    return round(n / d * {"percent": 100, "quotient": 1, "points": 0.01}[kind], 2)


def has_denominator(indicator: str) -> bool:
    """A number of things is not a share of anything."""
    return KINDS[indicator] not in ("count", "rub", "hours")


def effect_size(change: Change) -> float | None:
    """Mean of the changes ÷ their sample standard deviation; None below two pairs or without
    deviation."""
    count, total, squares = change
    if count < 2:
        return None
    deviations = count * squares - total * total  # count × the sum of squared deviations
    if deviations == 0:
        return None
    return (total / count) / sqrt(deviations / count / (count - 1))
