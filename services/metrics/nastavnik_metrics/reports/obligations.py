"""Bottom-up: a territory hands in its report when those under it have been accepted."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.errors import DomainError, FieldError
from nastavnik_metrics import months, snapshot
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.reports.rules import Report, due_below

NAMED = 20
"""So many of the missing reports are named; all are counted."""


async def check_children(tx: AsyncSession, report: Report, catalogue: Catalogue) -> None:
    """DomainError while a report that must come first is neither accepted nor frozen."""
    month = months.last_month(report.school_year)
    tree = (await snapshot.take(tx, month, catalogue)).tree
    if report.unit_id not in tree.units:
        raise DomainError("unit.unknown", "The unit of the report is not known any more.")
    under = [unit.id for unit in tree.organizations(report.unit_id)]
    due = due_below(tree, report.unit_id, await _obliged(tx, under, report.school_year))
    known = await _statuses(tx, due, report.school_year)
    missing = sorted(u for u in due if known.get(u) not in ("accepted", "frozen"))
    if missing:
        raise DomainError(
            "report.children_open",
            f"{len(missing)} of {len(due)} reports under it are neither accepted nor frozen;"
            f" the first {NAMED} are named.",
            errors=[_open(unit, known.get(unit)) for unit in missing[:NAMED]],
        )


def _open(unit: UUID, status: str | None) -> FieldError:
    return FieldError(
        location=f"children.{unit}",
        code=f"report.{status or 'missing'}",
        message=f"Its report is {status}." if status else "It has no report.",
    )


async def _obliged(tx: AsyncSession, organizations: list[UUID], year: int) -> set[UUID]:
    """Organisations of which anything is counted in the year, or that have a programme in it."""
    rows = await tx.execute(
        text(
            """select distinct organization_id from (
                 select organization_id from cell
                 where organization_id = any(:organizations) and school_month <= :month
                 group by organization_id, slice, measure having sum(value) <> 0
               ) as counted
               union
               select cast(state->>'organization_id' as uuid) from programme
               where state is not null and cast(state->>'school_year' as int) = :year
                 and cast(state->>'organization_id' as uuid) = any(:organizations)"""
        ),
        {"organizations": organizations, "month": months.last_month(year), "year": year},
    )
    return set(rows.scalars())


async def _statuses(tx: AsyncSession, units: Collection[UUID], year: int) -> dict[UUID, str]:
    rows = await tx.execute(
        text(
            "select unit_id, status from report where school_year = :year and unit_id = any(:units)"
        ),
        {"year": year, "units": list(units)},
    )
    return {row.unit_id: row.status for row in rows}
