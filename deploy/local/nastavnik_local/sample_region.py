"""The outline of a region: its municipalities and organisations with the size of each."""

import random
from collections.abc import Sequence
from datetime import date

from nastavnik_local import sample_names as names
from nastavnik_local.sample_model import (
    SCALES,
    Calendar,
    Kind,
    Municipality,
    Organization,
    Region,
    Scale,
)

# What the first municipalities reach; the target is 70 %. Later ones draw theirs.
_REACHED = ((0.79, 0.83), (0.73, 0.67), (0.66, 0.78), (0.75, 0.56), (0.58, 0.72))
_LETTERS: dict[Kind, str] = {
    "general": "s",
    "vocational": "v",
    "higher": "h",
    "additional": "a",
    "enterprise": "e",
    "ngo": "n",
}
_STAFF: dict[Kind, int] = {"vocational": 12, "higher": 10, "additional": 5}


def outline(seed: int = 1, scale: Scale = SCALES["sample"], today: date | None = None) -> Region:
    """The region of a seed, without its people. `today` decides the school year and last day."""
    rng = random.Random(f"{seed}:{scale.name}")
    per_place = _spread_kinds(scale, rng)
    schools = _sizes(scale, rng)
    found = []
    for number in range(scale.municipalities):
        kinds = {kind: counts[number] for kind, counts in per_place.items()}
        sizes = [schools.pop() for _ in range(kinds["general"])]
        found.append(_municipality(number, kinds, sizes, scale, rng))
    calendar = Calendar.of(today or date.today())  # noqa: DTZ011 - the day at this place
    return Region(seed, scale, calendar, tuple(found))


def share_out(total: int, weights: Sequence[float], least: int = 0) -> list[int]:
    """Whole numbers in proportion to the weights that add up to the total, each ≥ `least`."""
    spare = total - least * len(weights)
    exact = [spare * weight / sum(weights) for weight in weights]
    parts = [int(value) for value in exact]
    by_rest = sorted(range(len(parts)), key=lambda i: parts[i] - exact[i])
    for index in by_rest[: spare - sum(parts)]:
        parts[index] += 1
    return [least + part for part in parts]


def _spread_kinds(scale: Scale, rng: random.Random) -> dict[Kind, list[int]]:
    """Kind → how many organisations of it each municipality has; the first one is the capital."""
    weights = [3.0] + [rng.uniform(0.7, 1.6) for _ in range(scale.municipalities - 1)]
    even = [1.5] + [1.0] * (scale.municipalities - 1)
    found: dict[Kind, list[int]] = {}
    for kind, total in scale.organizations.items():
        if kind == "higher":
            found[kind] = [total] + [0] * (scale.municipalities - 1)
        elif kind == "general":
            found[kind] = share_out(total, weights, least=1)
        else:
            found[kind] = share_out(total, even)
    return found


def _sizes(scale: Scale, rng: random.Random) -> list[tuple[int, int]]:
    """(pupils, teachers) of every general school."""
    weights = [rng.lognormvariate(0, 0.45) for _ in range(scale.organizations["general"])]
    return list(
        zip(
            share_out(scale.pupils, weights, least=20),
            share_out(scale.staff, weights, least=4),
            strict=True,
        )
    )


def _municipality(
    number: int,
    kinds: dict[Kind, int],
    sizes: list[tuple[int, int]],
    scale: Scale,
    rng: random.Random,
) -> Municipality:
    sid = f"m{number + 1:02d}"
    found = []
    for kind, count in kinds.items():
        for index in range(count):
            ident = f"{sid}-{_LETTERS[kind]}{index + 1:03d}"
            learners, teachers = (
                sizes[index]
                if kind == "general"
                else (scale.students.get(kind, 0), _STAFF.get(kind, 0))
            )
            partners = scale.representatives if kind in ("enterprise", "ngo") else 0
            name = _name(kind, number, index, rng)
            found.append(Organization(ident, kind, name, learners, teachers, partners))
    drawn = (rng.uniform(0.52, 0.86), rng.uniform(0.55, 0.88))
    students, staff = _REACHED[number] if number < len(_REACHED) else drawn
    oktmo = f"99{601 + number:03d}000"
    return Municipality(sid, names.place(number), oktmo, tuple(found), students, staff)


def _name(kind: Kind, place: int, index: int, rng: random.Random) -> str:
    where = names.place(place).removeprefix("Город ").removeprefix("Район ")
    if kind == "general":
        what = rng.choice(("Школа", "Школа", "Школа", "Гимназия", "Лицей"))
        return f"{what} № {index + 1}, {where}"
    lists: dict[Kind, Sequence[str]] = {
        "vocational": names.COLLEGES,
        "higher": names.UNIVERSITIES,
        "additional": names.CENTRES,
        "enterprise": names.WORKS,
        "ngo": names.FUNDS,
    }
    options = lists[kind]
    again = f" № {index // len(options) + 1}" if index >= len(options) else ""
    return f"{options[(place + index) % len(options)]}{again}, {where}"
