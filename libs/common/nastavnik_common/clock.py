"""Time: now, and the school year.

A school year runs from 1 September to 31 August and is known by its first calendar year:
2026 means 2026/27.
"""

import re
from datetime import UTC, date, datetime

_LABEL = re.compile(r"^(\d{4})/(\d{2})$")


def now() -> datetime:
    return datetime.now(UTC)


def school_year(day: date) -> int:
    """The first calendar year of the school year that contains the day."""
    return day.year if day.month >= 9 else day.year - 1


def label(year: int) -> str:
    """2026 → ``2026/27``."""
    return f"{year}/{(year + 1) % 100:02d}"


def parse_label(text: str) -> int:
    """``2026/27`` → 2026; ValueError for anything else."""
    match = _LABEL.match(text)
    if match is None or (int(match[1]) + 1) % 100 != int(match[2]):
        raise ValueError(f"not a school year such as 2026/27: {text!r}")
    return int(match[1])
