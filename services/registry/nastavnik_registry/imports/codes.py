"""What a source agreed with us: its own codes, and what happens when something is wrong or gone."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_registry.imports import mapping
from nastavnik_registry.tables import ImportSource

MUNICIPAL = ("federation", "region", "municipality")


class Policy(NamedTuple):
    """The rules of a source. Those of one nobody has described are the safe ones.

    `org_types` maps orgs.type to a level above the school, or to a kind of organisation; `roles`
    maps roles.role to a kind of participant. Both hold codes beyond, or other than, the standard's.
    """

    org_types: Mapping[str, str] = {}
    roles: Mapping[str, str] = {}
    breaker_percent: int = 10
    vanished: str = "ignore"
    partial: bool = False

    def unit_of(self, org_type: str) -> tuple[str, str | None]:
        own = self.org_types.get(org_type)
        if own is None:
            return mapping.unit_of(org_type)
        return (own, None) if own in MUNICIPAL else ("organization", own)

    def member_of(self, role: str, organization_kind: str | None) -> str:
        return self.roles.get(role) or mapping.member_of(role, organization_kind)

    @property
    def words(self) -> dict[str, frozenset[str]]:
        """Own words by the vocabulary of the standard they are added to."""
        return {"orgType": frozenset(self.org_types), "role": frozenset(self.roles)}


async def policy(tx: AsyncSession, source: str) -> Policy:
    row = await tx.get(ImportSource, source)
    if row is None:
        return Policy()
    return Policy(
        org_types=row.mapping["org_types"],
        roles=row.mapping["roles"],
        breaker_percent=row.breaker_percent,
        vanished=row.vanished,
        partial=row.partial,
    )
