"""The org tree as it is today, walked in the database."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import TextClause, text

from nastavnik_common import clock, db

_WALK = """
    with recursive edge(unit, parent) as (
        select unit, parent from ({placements}) as placement(unit, parent, since, until)
        where (since is null or since <= :today) and (until is null or until > :today)
    ), met(id) as (
        select unnest(cast(:roots as uuid[]))
        union
        select edge.{to} from edge join met on edge.{at} = met.id
    )
    select id from met
"""


class Tree:
    """`placements`: a query for (unit, parent, since, until) of units that are not deleted."""

    def __init__(self, sessions: db.Sessions, placements: str) -> None:
        self._sessions = sessions
        self._down = text(_WALK.format(placements=placements, to="unit", at="parent"))
        self._up = text(_WALK.format(placements=placements, to="parent", at="unit"))

    async def below(self, roots: Collection[UUID]) -> frozenset[UUID]:
        return await self._walk(self._down, roots)

    async def above(self, roots: Collection[UUID]) -> frozenset[UUID]:
        return await self._walk(self._up, roots)

    async def units(self, kind: str, ident: UUID) -> frozenset[UUID] | None:
        """A service that has records says where they are."""
        return None

    async def _walk(self, query: TextClause, roots: Collection[UUID]) -> frozenset[UUID]:
        given = {"roots": list(roots), "today": clock.now().date()}
        async with self._sessions() as tx:
            return frozenset(await tx.scalars(query, given))
