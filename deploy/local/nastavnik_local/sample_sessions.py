"""The meetings of a mentorship, from its first day up to yesterday."""

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from nastavnik_local.sample_model import Fix, Mentorship, Region, Session

_TECHNOLOGIES = (
    *("consultation", "talk", "training", "workshop"),
    *("project", "interactive", "information"),
)
_AUDIENCES: tuple[tuple[str, ...], ...] = (
    ("mentees",),
    ("mentees",),
    ("mentors", "mentees"),
    ("mentees", "parents"),
    ("staff",),
    ("external", "mentees"),
)
_CANCELLED = 0.06
_ABSENT = {"mentor": 0.01, "mentee": 0.11}
_OFFSET = "+03:00"


def sessions(region: Region, mentorship: Mentorship) -> Iterator[Session]:
    """In order of time, at most one a day, never on a Sunday; none of a draft."""
    if mentorship.since is None:
        return
    rng = random.Random(f"{region.seed}:{region.scale.name}:{mentorship.key}:sessions")
    last = region.calendar.last
    if mentorship.ending:
        last = min(last, mentorship.ending.on - timedelta(days=1))
    days = _working_days(mentorship.since, last)
    count = min(len(days), rng.randint(*region.scale.sessions))
    for number, index in enumerate(sorted(rng.sample(range(len(days)), count))):
        yield _session(number, days[index], mentorship, region.scale.fixes, rng)


def _working_days(first: date, last: date) -> Sequence[date]:
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in every if day.weekday() < 6]


def _session(
    number: int, day: date, mentorship: Mentorship, fixes: float, rng: random.Random
) -> Session:
    start = (
        f"{day.isoformat()}T{rng.randint(9, 17):02d}:{rng.choice(('00', '15', '30'))}:00{_OFFSET}"
    )
    held = rng.random() >= _CANCELLED
    absent: tuple[str, ...] = ()
    if held:
        absent = tuple(
            sid
            for sid, role in mentorship.members
            if role != "curator" and rng.random() < _ABSENT[role]
        )
    return Session(
        number,
        start,
        rng.choice((45, 45, 60, 90)),
        held,
        rng.choice(_TECHNOLOGIES),
        rng.choice(_AUDIENCES),
        absent,
        _fix(fixes, rng) if held else None,
    )


def _fix(share: float, rng: random.Random) -> Fix | None:
    chance = rng.random()
    if chance < share:
        return "corrected"
    return "voided" if chance < share * 1.5 else None
