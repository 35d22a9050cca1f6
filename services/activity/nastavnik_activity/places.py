"""Where things of the activity service are in the org tree, for the access rules."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import TextClause, text

from nastavnik_common import db
from nastavnik_common.auth_places import Tree

# The replica's own copy of the placements: arrays beside each other, one element a placement.
_PLACEMENTS = """
    select unit.id, placement.parent, placement.since, placement.until
    from replica_organization as unit
    cross join lateral unnest(unit.parents, unit.parents_since, unit.parents_until)
        as placement(parent, since, until)
    where not unit.deleted
"""
_UNITS: Mapping[str, TextClause] = {
    kind: text(f'select organization_id from "{kind}" where id = :id')  # noqa: S608 -- our names
    for kind in (
        "mentorship",
        "session",
        "session_review",
        "survey",
        "assessment",
        "contribution",
        "gathering",
    )
}


class ActivityPlaces(Tree):
    def __init__(self, sessions: db.Sessions) -> None:
        super().__init__(sessions, _PLACEMENTS)
        self._own = sessions

    async def units(self, kind: str, ident: UUID) -> frozenset[UUID] | None:
        async with self._own() as tx:
            found = await tx.scalar(_UNITS[kind], {"id": ident})
        return None if found is None else frozenset([found])
