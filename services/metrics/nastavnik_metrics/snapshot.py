"""What values of one school month need besides the cells: tree, targets, headcounts, watermark."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.events.registry import (
    OrganizationKind,
    OrganizationState,
    ReferenceCountState,
    TargetState,
)
from nastavnik_metrics import months
from nastavnik_metrics.catalogue.model import Catalogue, Indicator
from nastavnik_metrics.tree import Tree

_UNIT = msgspec.json.Decoder(OrganizationState)
_TARGET = msgspec.json.Decoder(TargetState)
_COUNT = msgspec.json.Decoder(ReferenceCountState)


class Snapshot(NamedTuple):
    catalogue: Catalogue
    month: int
    tree: Tree
    targets: Mapping[tuple[str, UUID | None], float]
    headcounts: Mapping[tuple[UUID, str], int]
    watermark: datetime | None
    kind: OrganizationKind | None = None
    """Count organisations of this kind alone."""

    @property
    def year(self) -> int:
        return months.year_of(self.month)

    @property
    def whole_month(self) -> int:
        """The last month that is over, as far as events tell; before the year: none of it."""
        if self.watermark is None:
            return 12 * self.year - 1
        return min(self.month, months.month_of(self.watermark.date()) - 1)

    @property
    def elapsed_months(self) -> int:
        """Months of the year that have begun, as far as events tell."""
        if self.watermark is None:
            return 0
        return min(self.month, months.month_of(self.watermark.date())) - 12 * self.year + 1

    def target(self, indicator: Indicator, unit: UUID) -> float | None:
        """The unit's own, else of the nearest unit above, else of all, else the catalogue's."""
        above: list[Any] = [*self.tree.ancestors(unit), None]
        for owner in above:
            found = self.targets.get((indicator.code, owner))
            if found is not None:
                return found
        goal = indicator.goal(self.year)
        return goal.value if goal else None


async def take(
    tx: AsyncSession, month: int, catalogue: Catalogue, kind: OrganizationKind | None = None
) -> Snapshot:
    year = months.year_of(month)
    units = [_UNIT.decode(state) for state in await _states(tx, "organization")]
    targets = [_TARGET.decode(state) for state in await _states(tx, "target")]
    counts = [_COUNT.decode(state) for state in await _states(tx, "reference_count")]
    return Snapshot(
        catalogue,
        month,
        Tree({unit.id: unit for unit in units}, year, catalogue.census_day),
        {
            (t.indicator, t.organization_id): t.basis_points / 100
            for t in targets
            if t.school_year == year
        },
        {(c.organization_id, c.population): c.headcount for c in counts if c.school_year == year},
        await watermark(tx),
        kind,
    )


async def _states(tx: AsyncSession, table: str) -> list[str]:
    rows = await tx.execute(
        text(f"select state::text from {table} where state is not null")  # noqa: S608 -- our names
    )
    return list(rows.scalars())


async def watermark(tx: AsyncSession) -> datetime | None:
    """The moment up to which every partition is in the figures; None before the first."""
    found: datetime | None = await tx.scalar(
        text(
            "select case when bool_and(watermark is not null) then min(watermark) end"
            " from stream_position"
        )
    )
    return found
