"""What a figure is made of: the owners that add to it, and how much each adds."""

from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db
from nastavnik_metrics import cells, holdings
from nastavnik_metrics.catalogue.model import ALL, Indicator, Term
from nastavnik_metrics.snapshot import Snapshot

PAGE = 2000


class Contributor(NamedTuple):
    kind: str
    id: UUID
    organization_id: UUID
    adds: int


class Found(NamedTuple):
    items: list[Contributor]
    next: tuple[str, UUID] | None


class Asked(NamedTuple):
    indicator: Indicator
    part: Literal["numerator", "denominator"]
    slice: str

    @property
    def terms(self) -> tuple[Term, ...]:
        return self.indicator.numerator if self.part == "numerator" else self.indicator.denominator


async def contributors(
    tx: AsyncSession,
    snap: Snapshot,
    unit: UUID,
    asked: Asked,
    after: tuple[str, UUID] | None,
    limit: int,
) -> Found:
    """Owners in the order of kind and id, after the one named. Organisations that count
    themselves come as the kind `unit`."""
    under: dict[UUID, str] = {
        o.id: o.kind or "other"
        for o in snap.tree.organizations(unit)
        if snap.kind in (None, o.kind or "other")
    }
    month = snap.whole_month if asked.indicator.at == "whole_month" else snap.month
    found: list[Contributor] = []
    connection = await db.driver(tx)
    while len(found) < limit:
        kind, ident = after or ("", UUID(int=0))
        rows = await connection.fetch(_OWNERS, list(under), kind, ident, PAGE)
        for (kind, ident), has in (await holdings.of(connection, rows)).items():
            found += _of_owner(kind, ident, has, asked, snap, under, month)
            after = (kind, ident)
            if len(found) >= limit:
                break
        if len(rows) < PAGE and len(found) < limit:
            return Found([*found, *_themselves(asked, snap, under)], None)
    return Found(found, after)


_OWNERS = f"""
    select {holdings.COLUMNS} from owner
    where organizations && $1 and (kind, id) > ($2, $3) order by kind, id limit $4
"""  # noqa: S608 -- our names


def _of_owner(
    kind: str,
    ident: UUID,
    stored: cells.Cells,
    asked: Asked,
    snap: Snapshot,
    under: dict[UUID, str],
    month: int,
) -> list[Contributor]:
    adds: dict[UUID, int] = {}
    for term in asked.terms:
        sliced = snap.catalogue.sliced.get(term.measure or "")
        at = asked.slice if sliced else ALL
        for cell, n in stored.items():
            kind_of = under.get(cell.organization_id)
            wanted = kind_of is not None and (
                not term.organizations or kind_of in term.organizations
            )
            if (
                wanted
                and (cell.slice, cell.measure) == (at, term.measure)
                and cell.school_month <= month
            ):
                adds[cell.organization_id] = adds.get(cell.organization_id, 0) + term.times * n
    return [Contributor(kind, ident, home, n) for home, n in sorted(adds.items()) if n]


def _themselves(asked: Asked, snap: Snapshot, under: dict[UUID, str]) -> list[Contributor]:
    return [
        Contributor("unit", ident, ident, 1)
        for term in asked.terms
        if term.count == "organizations"
        for ident, kind in sorted(under.items())
        if snap.tree.placed(ident) and (not term.organizations or kind in term.organizations)
    ]
