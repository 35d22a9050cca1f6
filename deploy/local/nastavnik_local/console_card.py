"""Every indicator of the region, one row each, as the scenario ends."""

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from nastavnik_local.scenario_board import Board, Figure, Row

_FORMATS = {
    "percent": "{:.2f} %",
    "quotient": "{:.2f}",
    "points": "{:+.2f}",
    "count": "{:,.0f}",
    "rub": "{:,.2f} ₽",
    "hours": "{:,.2f} h",
}
_GROUPS = ("coverage", "organisational", "methodical", "personal", "results")
_FIGURES = 56  # columns that everything but the titles takes
_ALONE = ("count", "rub", "hours")  # numbers of things, with nothing to divide by


def card(board: Board, width: int) -> Table:
    """By group of the target model: value, numerator and denominator, target, effect size."""
    made = Table(box=SIMPLE_HEAD, title=board.region.name if board.region else None)
    room = max(20, width - _FIGURES)
    made.add_column("indicator", no_wrap=True, overflow="ellipsis", max_width=room)
    for name in ("value", "n/d", "target", "effect"):
        made.add_column(name, justify="right", no_wrap=True)
    for group in dict.fromkeys([*_GROUPS, *(row.group for row in board.card)]):
        rows = [row for row in board.card if row.group == group]
        if rows:
            made.add_row(Text(group, "bold"))
        for row in rows:
            made.add_row(*_cells(row), end_section=row is rows[-1])
    return made


def _cells(row: Row) -> list[str | Text]:
    figure = row.figure
    target = "" if figure.target is None else f"{figure.target:g} %"
    effect = "" if row.effect is None else f"{row.effect:+.2f}"
    value = Text(_value(row), _style(figure))
    return [f"  {row.title}", value, Text(_counts(row), "dim"), target, effect]


def _counts(row: Row) -> str:
    if row.unit in _ALONE:
        return ""
    points = row.unit == "points"  # counted in hundredths
    n = f"{row.figure.numerator / 100:,.2f}" if points else f"{row.figure.numerator:,}"
    return f"{n}/{row.figure.denominator:,}"


def _value(row: Row) -> str:
    value = row.figure.value
    if value is None:
        return "too early" if row.reason == "too_young_to_judge" else "no data"
    return _FORMATS[row.unit].format(value)


def _style(figure: Figure) -> str:
    if figure.value is None or figure.target is None:
        return ""
    return "green" if figure.value >= figure.target else "yellow"
