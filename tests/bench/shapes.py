"""Regions for the projector: so many schools, people, pairs and sessions; always the same."""

import random
from datetime import date, timedelta
from typing import Any, NamedTuple

from nastavnik_common.events.activity import Member
from tests.metrics.world import ident, meeting, pair, person, school, unit

_DAYS = 80  # sessions lie in the first of a school year


class Shape(NamedTuple):
    schools: int
    persons: int
    pairs: int
    sessions: int

    def less(self, times: int) -> "Shape":
        """With so many times fewer people, pairs and sessions."""
        return Shape(self.schools, *(n // times for n in self[1:]))

    def __str__(self) -> str:
        return f"{self.schools:,} schools"


DISTRICT = Shape(60, 20_000, 6_000, 60_000)
REGION = Shape(1_403, 60_000, 15_000, 100_000)
"""As many schools as a real region has; of its people and sessions a part."""


def world(shape: Shape, seed: int = 1) -> list[Any]:
    """States in the order of their making: units, persons, pairs, sessions."""
    dice = random.Random(seed)
    states: list[Any] = [unit("region", "region")]
    states += [school(f"s{i}", "region") for i in range(shape.schools)]
    states += [
        person(f"p{i}", f"s{i % shape.schools}", birth_year=dice.randint(2008, 2018))
        for i in range(shape.persons)
    ]
    across = -(-shape.pairs // shape.schools) * shape.schools  # to another of the same school
    couples = [(f"p{i}", f"p{i + across}") for i in range(shape.pairs)]
    states += [
        pair(
            f"m{i}",
            a,
            b,
            organization_id=ident(f"s{i % shape.schools}"),
            members=(_member(a, "mentor"), _member(b, "mentee")),
        )
        for i, (a, b) in enumerate(couples)
    ]
    first = date(2026, 9, 1)
    for i in range(shape.sessions):
        at = dice.randrange(shape.pairs)
        day = first + timedelta(days=dice.randrange(_DAYS))
        states.append(meeting(f"x{i}", f"m{at}", *couples[at], day=day))
    return states


def _member(name: str, role: Any) -> Member:
    return Member(participant_id=ident(name), role=role)
