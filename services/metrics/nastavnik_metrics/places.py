"""Where things of the metrics service are in the org tree, for the access rules."""

from uuid import UUID

from sqlalchemy import text

from nastavnik_common import db
from nastavnik_common.auth_places import Tree

_PLACEMENTS = """
    select unit.id, placement.parent_id, placement.since, placement.until
    from organization as unit
    cross join lateral json_to_recordset(unit.state -> 'placements')
        as placement(parent_id uuid, since date, until date)
    where unit.state is not null
"""
_REPORT = text("select unit_id from report where id = :id")


class MetricsPlaces(Tree):
    """Only reports are asked for by an id; figures by that of their unit."""

    def __init__(self, sessions: db.Sessions) -> None:
        super().__init__(sessions, _PLACEMENTS)
        self._own = sessions

    async def units(self, kind: str, ident: UUID) -> frozenset[UUID] | None:
        assert kind == "report"
        async with self._own() as tx:
            found = await tx.scalar(_REPORT, {"id": ident})
        return None if found is None else frozenset([found])
