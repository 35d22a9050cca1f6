"""Where things of the registry are in the org tree, for the access rules."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import TextClause, text

from nastavnik_common import db
from nastavnik_common.auth_places import Tree

_PLACEMENTS = """
    select unit_id, parent_id, since, until
    from placement join org_unit on org_unit.id = placement.unit_id
    where not org_unit.deleted
"""
_MEMBER = """
    select membership.organization_id
    from {table} left join membership on membership.participant_id = {table}.{person}
    where {table}.id = :id
"""
_UNITS: Mapping[str, TextClause] = {
    kind: text(query)
    for kind, query in {
        "organization": "select id from org_unit where id = :id",
        "participant": _MEMBER.format(table="participant", person="id"),
        "consent": _MEMBER.format(table="consent", person="participant_id"),
        "programme": "select organization_id from programme where id = :id",
        "target": "select organization_id from target where id = :id",
        "reference_count": "select organization_id from reference_count where id = :id",
    }.items()
}


class RegistryPlaces(Tree):
    """A person is where any membership is, now or ever: so whoever has left can be corrected."""

    def __init__(self, sessions: db.Sessions) -> None:
        super().__init__(sessions, _PLACEMENTS)
        self._own = sessions

    async def units(self, kind: str, ident: UUID) -> frozenset[UUID] | None:
        async with self._own() as tx:
            found = (await tx.scalars(_UNITS[kind], {"id": ident})).all()
        return frozenset(unit for unit in found if unit is not None) if found else None
