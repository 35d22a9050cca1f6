"""Long lists as parameters of statements, in PostgreSQL's own notation.

asyncpg asks of every element of a list whether it is a list itself, and that took a fifth of the
time of folding. A text that the server casts (``$1::text::uuid[]``) costs neither side much.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec


def array(values: Collection[Any]) -> str:
    """Of ids, whole numbers, booleans, dates, None, and texts in which JSON escapes nothing but
    quotes (names of an enumeration; arrays of ids)."""
    return "{" + msgspec.json.encode(values).decode()[1:-1] + "}"


def arrays(rows: Sequence[Sequence[Any]], width: int) -> list[str]:
    """Rows → one array per column, as ``unnest`` wants them."""
    return [array(column) for column in zip(*rows, strict=True)] if rows else ["{}"] * width
