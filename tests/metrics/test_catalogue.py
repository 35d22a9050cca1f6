"""A broken definition is refused at load, with the place and the reason."""

import re

import pytest

from nastavnik_metrics.catalogue import CatalogueError, load
from nastavnik_metrics.catalogue.loading import parse

GOOD = """
census = 2000-05-31
[[measures]]
code = "population.students"
who = { kinds = ["student"] }
[[indicators]]
code = "coverage.students"
version = 1
group = "coverage"
title = { ru = "Охват", en = "Coverage" }
numerator = [{ measure = "population.students" }]
denominator = [{ measure = "population.students", organizations = ["general"] }]
"""


def test_the_shipped_catalogue_loads() -> None:
    assert len(load().indicators) == 31


def test_a_good_one_loads() -> None:
    assert [i.code for i in parse(GOOD).current(2026)] == ["coverage.students"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('measure = "population.students" }', 'measure = "no.such" }', "no measure no.such"),
        ('kinds = ["student"]', 'kinds = ["wizard"]', "measures[0].who.kinds[0]"),
        ('kinds = ["student"]', "age = [20, 10]", "age (20, 10) is empty"),
        ("version = 1", "version = 0", "version"),
        ("census = 2000-05-31", "census = 5", "census"),
        ('group = "coverage"', 'group = "coverage"\nformula = "n / d"', "formula"),
        ('[{ measure = "population.students" }]', "[{ }]", "needs a measure"),
        ('[{ measure = "population.students" }]', "[]", "numerator"),
        ('who = { kinds = ["student"] }', "", "must be of one sort"),
        ("version = 1", 'version = 1\nunit = "count"', "a count takes no denominator"),
        ('code = "coverage.students"', 'code = "Coverage"', "code"),
    ],
)
def test_a_broken_one_is_refused_with_the_place(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(CatalogueError, match=re.escape(said)):
        parse(GOOD.replace(old, new, 1))


def test_two_definitions_of_one_code_are_refused() -> None:
    doubled = GOOD + GOOD[GOOD.index("[[indicators]]") :]
    with pytest.raises(CatalogueError, match=r"coverage\.students version 1 is defined 2 times"):
        parse(doubled)
