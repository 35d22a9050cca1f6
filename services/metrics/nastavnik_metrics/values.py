"""Indicator values out of the cells, for any units, at the end of any school month.

Cells exist at organisations only. What lies under a unit, and which organisations an indicator
takes, is decided here, by the tree of the school year: moving or reclassifying a school rewrites
no cell.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.events.metrics import IndicatorValueState, Reference
from nastavnik_metrics import months
from nastavnik_metrics.catalogue import evaluate
from nastavnik_metrics.catalogue.evaluate import Sum, Sums, Value
from nastavnik_metrics.catalogue.model import Indicator
from nastavnik_metrics.identity import value_id
from nastavnik_metrics.snapshot import Snapshot
from nastavnik_metrics.tree import closure

PACE_MONTHS = 9
"""Targets are due by the end of May, nine months into the year."""


async def evaluated(
    tx: AsyncSession,
    snap: Snapshot,
    units: Sequence[UUID],
    indicators: Iterable[Indicator],
    at: str | None = None,
) -> list[IndicatorValueState]:
    """Values of the units: in one slice, or (None) in every slice that counts anything."""
    chosen = list(indicators)
    latest = await _sums(tx, snap, units, snap.month)
    whole = latest
    if any(i.at == "whole_month" for i in chosen) and snap.whole_month != snap.month:
        whole = await _sums(tx, snap, units, snap.whole_month)
    found = []
    for unit in units:
        for indicator in chosen:
            sums = (whole if indicator.at == "whole_month" else latest)[unit]
            slices = [at] if at else evaluate.slices_present(indicator, sums)
            found += [_state(snap, unit, indicator, sums, s) for s in slices]
    return found


async def _sums(
    tx: AsyncSession, snap: Snapshot, units: Sequence[UUID], month: int
) -> dict[UUID, Sums]:
    under = closure(snap.tree, units, snap.kind)
    rows = await tx.execute(
        text(_SUMS),
        {
            "units": under.units,
            "organizations": under.organizations,
            "kinds": under.kinds,
            "placed": under.placed,
            "month": month,
        },
    )
    measured: dict[UUID, dict[str, dict[str, dict[str, Sum]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(dict))
    )
    for unit, kind, at, measure, total, organizations in rows:
        measured[unit][at][measure][kind] = Sum(total, organizations)
    sliced = snap.catalogue.sliced
    return {unit: Sums(measured[unit], under.counts[unit], sliced) for unit in units}


_SUMS = """
    with under as (
        select * from unnest(
            cast(:units as uuid[]), cast(:organizations as uuid[]), cast(:kinds as text[]),
            cast(:placed as boolean[])) as u(unit, organization_id, kind, placed)
    ), stock as (
        select organization_id, slice, measure, sum(value)::bigint as value from cell
        where organization_id in (select organization_id from under) and school_month <= :month
        group by organization_id, slice, measure having sum(value) <> 0
    )
    select unit, kind, slice, measure, sum(value)::bigint,
           count(*) filter (where value > 0 and placed)
    from under join stock using (organization_id) group by unit, kind, slice, measure
"""


def _state(
    snap: Snapshot, unit: UUID, indicator: Indicator, sums: Sums, at: str
) -> IndicatorValueState:
    value = evaluate.evaluate(indicator, sums, at)
    target = snap.target(indicator, unit)
    reporting, expected = evaluate.completeness(indicator, sums)
    return IndicatorValueState(
        id=value_id(indicator.code, unit, snap.year, at),
        version=1,
        indicator=indicator.code,
        definition_version=indicator.version,
        organization_id=unit,
        level=snap.tree.units[unit].level,
        school_year=snap.year,
        form=at,
        numerator=value.numerator,
        denominator=value.denominator,
        value=value.value,
        unit=indicator.unit,
        change=value.change,
        target=target,
        reference=_reference(snap, unit, indicator, value),
        pace=_pace(snap, value, target),
        reporting=reporting,
        expected=expected,
        state=value.state,
        reason=value.reason,
        watermark=snap.watermark,
    )


def _pace(snap: Snapshot, value: Value, target: float | None) -> float | None:
    """Value minus the part of the target that is due by now."""
    if value.value is None or target is None:
        return None
    elapsed = min(max(snap.elapsed_months, 0), PACE_MONTHS)
    return round(value.value - target * elapsed / PACE_MONTHS, 2)


def _reference(snap: Snapshot, unit: UUID, indicator: Indicator, value: Value) -> Reference | None:
    if snap.kind is not None:
        return None  # headcounts are of all kinds together
    counts = [snap.headcounts.get((unit, population)) for population in indicator.reference]
    known = [count for count in counts if count is not None]
    if not known or len(known) < len(counts):
        return None
    headcount = sum(known)
    percent = round(100 * value.numerator / headcount, 2) if headcount else None
    differs = headcount != value.denominator
    return Reference(headcount=headcount, value=percent, differs=differs)


def month_asked(year: int, month: int | None) -> int:
    """The school month a value is taken at: the asked one (0 … 11), else the year's last."""
    return months.last_month(year) if month is None else 12 * year + month
