"""Indicator values out of the cells, for any units, in one query.

Cells exist at organisations only. What lies under a unit, and which organisations an indicator
takes, is decided here, by the tree of the school year: moving or reclassifying a school rewrites
no cell.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.events.metrics import IndicatorValueState
from nastavnik_common.events.registry import OrganizationState, TargetState
from nastavnik_metrics.catalogue.evaluate import Sum, Sums, evaluate, forms_present
from nastavnik_metrics.catalogue.model import Catalogue, Indicator
from nastavnik_metrics.identity import value_id
from nastavnik_metrics.tree import Tree, closure

_UNIT = msgspec.json.Decoder(OrganizationState)
_TARGET = msgspec.json.Decoder(TargetState)
Targets = Mapping[tuple[str, int, UUID | None], float]


class Snapshot(NamedTuple):
    """What values of one school year need besides the cells."""

    tree: Tree
    targets: Targets
    watermark: datetime | None


async def snapshot(tx: AsyncSession, year: int, catalogue: Catalogue) -> Snapshot:
    rows = await tx.execute(text("select state::text from organization where state is not null"))
    units = [_UNIT.decode(state) for (state,) in rows]
    targets: dict[tuple[str, int, UUID | None], float] = {}
    for (state,) in await tx.execute(text("select state::text from target where not deleted")):
        target = _TARGET.decode(state)
        key = (target.indicator, target.school_year, target.organization_id)
        targets[key] = target.basis_points / 100
    tree = Tree({unit.id: unit for unit in units}, year, catalogue.census_day)
    return Snapshot(tree, targets, await watermark(tx))


async def watermark(tx: AsyncSession) -> datetime | None:
    """The moment up to which every partition is in the figures; None before the first."""
    found: datetime | None = await tx.scalar(
        text(
            "select case when bool_and(watermark is not null) then min(watermark) end"
            " from stream_position"
        )
    )
    return found


async def evaluated(
    tx: AsyncSession,
    snap: Snapshot,
    units: Sequence[UUID],
    indicators: Iterable[Indicator],
    form: str | None = None,
) -> list[IndicatorValueState]:
    """Values of the units: in one form, or (None) in every form in which somebody is engaged."""
    sums = await _sums(tx, snap.tree, units)
    chosen = list(indicators)
    return [
        _value(snap, snap.tree.units[unit], indicator, sums[unit], at)
        for unit in units
        for at in ([form] if form else forms_present(sums[unit]))
        for indicator in chosen
    ]


async def _sums(tx: AsyncSession, tree: Tree, units: Sequence[UUID]) -> dict[UUID, Sums]:
    under = closure(tree, units)
    rows = await tx.execute(
        text(_SUMS),
        {
            "units": under.units,
            "organizations": under.organizations,
            "kinds": under.kinds,
            "placed": under.placed,
            "year": tree.year,
        },
    )
    measured: dict[UUID, dict[tuple[str, str, str], Sum]] = defaultdict(dict)
    for unit, kind, form, measure, persons, organizations in rows:
        measured[unit][kind, form, measure] = Sum(persons, organizations)
    return {unit: Sums(measured[unit], under.counts[unit]) for unit in units}


_SUMS = """
    with under as (
        select * from unnest(
            cast(:units as uuid[]), cast(:organizations as uuid[]), cast(:kinds as text[]),
            cast(:placed as boolean[])) as u(unit, organization_id, kind, placed)
    ), stock as (
        select organization_id, form, measure, sum(value)::bigint as value from cell
        where organization_id in (select organization_id from under) and school_year <= :year
        group by organization_id, form, measure having sum(value) <> 0
    )
    select unit, kind, form, measure, sum(value)::bigint,
           count(*) filter (where value > 0 and placed)
    from under join stock using (organization_id) group by unit, kind, form, measure
"""


def _value(
    snap: Snapshot, unit: OrganizationState, indicator: Indicator, sums: Sums, form: str
) -> IndicatorValueState:
    value = evaluate(indicator, sums, form)
    return IndicatorValueState(
        id=value_id(indicator.code, unit.id, snap.tree.year, form),
        version=1,
        indicator=indicator.code,
        definition_version=indicator.version,
        organization_id=unit.id,
        level=unit.level,
        school_year=snap.tree.year,
        form=form,
        numerator=value.numerator,
        denominator=value.denominator,
        value=value.percent,
        unit="percent",
        target=target(snap, indicator, unit.id),
        state=value.state,
        reason=value.reason,
        watermark=snap.watermark,
    )


def target(snap: Snapshot, indicator: Indicator, unit: UUID) -> float | None:
    """The unit's own target, else of the nearest unit above, else of all, else the catalogue's."""
    above: list[Any] = [*snap.tree.ancestors(unit), None]
    for owner in above:
        found = snap.targets.get((indicator.code, snap.tree.year, owner))
        if found is not None:
            return found
    goal = indicator.goal(snap.tree.year)
    return goal.percent if goal else None
