"""Patterns: what owners add to the cells, with organisations replaced by their places in a list.

Owners are many, and what they add is alike: two pupils of an age who began in the same month add
the same steps, each to the school of their own. So a pattern is stored once, under the hash of its
content, and owners refer to it; and moving the cells is counting how many owners go from one
pattern to another. Patterns never change, so they may be kept in memory; what a failed transaction
would have stored must be forgotten with the whole `Patterns`.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from nastavnik_common import db
from nastavnik_metrics.cells import Cell, Cells, without_zeros

Connection = Any
Step = tuple[int, int, str, str, int]
"""Place of the organisation, school month, slice, measure, number."""
Steps = tuple[Step, ...]


class Share(NamedTuple):
    """What an owner has in the cells: a pattern (None: nothing), laid on organisations."""

    pattern: bytes | None
    organizations: tuple[UUID, ...]


NOTHING = Share(None, ())


def steps(cells: Cells, organizations: Sequence[UUID]) -> Steps:
    """Cells with organisations as their places among those given, in order."""
    places = {organization: place for place, organization in enumerate(organizations)}
    return tuple(sorted((places[o], m, s, c, n) for (o, m, s, c), n in cells.items()))


class Patterns:
    """Those met so far. `save` what is new before the transaction that refers to it ends."""

    def __init__(self) -> None:
        self._steps: dict[bytes, Steps] = {}
        self._new: dict[bytes, Steps] = {}

    def share(self, cells: Cells, organizations: Sequence[UUID] | None = None) -> Share:
        """`organizations` in a given order; else those in the cells."""
        if organizations is None:
            organizations = sorted({cell.organization_id for cell in cells})
        return Share(self.id(steps(cells, organizations)), tuple(organizations))

    def id(self, pattern: Steps) -> bytes | None:
        if not pattern:
            return None
        found = hashlib.blake2b(msgspec.json.encode(pattern), digest_size=16).digest()
        if found not in self._steps:
            self._steps[found] = self._new[found] = pattern
        return found

    async def load(self, connection: Connection, ids: Iterable[bytes | None]) -> None:
        """Have the patterns at hand."""
        missing = {one for one in ids if one is not None and one not in self._steps}
        if missing:
            rows = await connection.fetch(
                "select id, steps::text from pattern where id = any($1)", list(missing)
            )
            self._steps.update({row["id"]: _DECODER.decode(row["steps"]) for row in rows})

    async def save(self, connection: Connection) -> None:
        """In the order of ids: two replicas may store the same at once."""
        if self._new:
            rows = [
                (one, msgspec.json.encode(self._new[one]).decode()) for one in sorted(self._new)
            ]
            await connection.execute(
                """insert into pattern (id, steps) select * from unnest($1::bytea[], $2::json[])
                   on conflict do nothing""",
                *db.columns(rows, 2),
            )
            self._new.clear()

    def sum(self, counted: Counter[Share]) -> Cells:
        """The cells of so many owners of each share; of fewer where the number is negative. A row
        that was damaged (without its pattern or an organisation of it) adds less than it should,
        and the audit tells."""
        by_place: dict[UUID, Counter[tuple[int, str, str]]] = {}
        for (pattern, organizations), times in counted.items():
            if pattern is None or times == 0:
                continue
            totals = [by_place.setdefault(one, Counter()) for one in organizations]
            for place, month, at, measure, n in self._steps.get(pattern, ()):
                if place < len(totals):
                    totals[place][month, at, measure] += n * times
        return without_zeros(
            {
                Cell(organization, *key): n
                for organization, total in by_place.items()
                for key, n in total.items()
            }
        )


_DECODER = msgspec.json.Decoder(Steps)
