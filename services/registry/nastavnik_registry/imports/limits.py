"""How much a package may cost before it is refused."""

from __future__ import annotations

import msgspec

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one package. Sizes are in bytes; sizes an archive declares are never trusted.

    A ratio of compression above `max_ratio` is refused once an entry exceeds `ratio_floor` bytes:
    rosters compress some ten to thirty times, bombs a thousand.
    """

    max_compressed: int = 512 * MIB
    max_entries: int = 64
    max_entry: int = 2 * GIB
    max_total: int = 4 * GIB
    max_ratio: int = 200
    ratio_floor: int = MIB
    max_line: int = MIB
    max_findings: int = 1000
