"""The figures of a report: live and provisional until they are frozen."""

from typing import Literal, NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.events.metrics import IndicatorValueState
from nastavnik_common.events.registry import OrganizationState
from nastavnik_metrics import months, snapshot, values
from nastavnik_metrics import queries as units
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.reports import queries
from nastavnik_metrics.reports.queries import Titled
from nastavnik_metrics.reports.rules import Report

State = Literal["provisional", "frozen"]


class Contents(NamedTuple):
    unit: OrganizationState
    state: State
    items: list[Titled]


async def steady(tx: AsyncSession) -> None:
    """Let the transaction, which must be new, see one state of the database throughout."""
    await tx.connection(execution_options={"isolation_level": "REPEATABLE READ"})


async def contents(
    tx: AsyncSession, report: Report, catalogue: Catalogue, at: str | None
) -> Contents:
    """In one slice, or (None) in every slice. `reason` says why a value is missing."""
    if report.status == "frozen":
        unit = await queries.frozen_unit(tx, report.id)
        kept = await queries.frozen_values(tx, report.id, at)
        return Contents(unit, "frozen", [Titled(frozen(v), title) for v, title in kept])
    unit = await units.unit(tx, report.unit_id)
    current = catalogue.current(report.school_year)
    titles = {indicator.code: indicator.title.ru for indicator in current}
    snap = await snapshot.take(tx, months.last_month(report.school_year), catalogue)
    live = await values.evaluated(tx, snap, [unit.id], current, at)
    items = [Titled(_provisional(v), titles[v.indicator]) for v in live]
    return Contents(unit, "provisional", items)


def frozen(value: IndicatorValueState) -> IndicatorValueState:
    return msgspec.structs.replace(value, state="frozen")


def _provisional(value: IndicatorValueState) -> IndicatorValueState:
    return msgspec.structs.replace(value, state="provisional")
