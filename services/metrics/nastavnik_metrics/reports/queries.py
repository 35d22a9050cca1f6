"""Reads of reports, their steps and what they froze."""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.auth_scope import reach
from nastavnik_common.errors import NotFoundError
from nastavnik_common.events.metrics import IndicatorValueState
from nastavnik_common.events.registry import OrganizationState
from nastavnik_metrics.reports.rules import Report, Step

_VALUE = msgspec.json.Decoder(IndicatorValueState)
_UNIT = msgspec.json.Decoder(OrganizationState)
_COLUMNS = ", ".join(Report._fields)


class Titled(NamedTuple):
    value: IndicatorValueState
    title: str


async def find(tx: AsyncSession, ident: UUID, *, lock: bool = False) -> Report | None:
    held = "for update" if lock else ""
    rows = await tx.execute(
        text(f"select {_COLUMNS} from report where id = :id {held}"),  # noqa: S608 -- our names
        {"id": ident},
    )
    row = rows.one_or_none()
    return None if row is None else Report(*row)


async def one(tx: AsyncSession, ident: UUID, *, lock: bool = False) -> Report:
    report = await find(tx, ident, lock=lock)
    if report is None:
        raise NotFoundError("report", ident)
    return report


async def of_unit(tx: AsyncSession, unit: UUID, school_year: int) -> UUID | None:
    found: UUID | None = await tx.scalar(
        text("select id from report where unit_id = :unit and school_year = :year"),
        {"unit": unit, "year": school_year},
    )
    return found


async def page(
    tx: AsyncSession, wanted: dict[str, Any], after: UUID | None, limit: int
) -> list[Report]:
    """What the caller may see, in the order of ids. `wanted`: column → value, None: any."""
    rows = await tx.execute(
        text(
            f"""select {_COLUMNS} from report
                where (cast(:unit_id as uuid) is null or unit_id = :unit_id)
                  and (cast(:school_year as int) is null or school_year = :school_year)
                  and (cast(:status as text) is null or status = :status)
                  and (cast(:level as text) is null or level = :level)
                  and (cast(:after as uuid) is null or id > :after)
                  and (cast(:within as uuid[]) is null or unit_id = any(:within))
                order by id limit :limit"""  # noqa: S608 -- our names
        ),
        {**wanted, "after": after, "limit": limit, "within": reach().wanted()},
    )
    return [Report(*row) for row in rows]


async def steps(tx: AsyncSession, idents: Collection[UUID]) -> dict[UUID, list[Step]]:
    """Of each report what happened to it, oldest first."""
    found: dict[UUID, list[Step]] = {ident: [] for ident in idents}
    rows = await tx.execute(
        text(
            """select report_id, version, action, by, comment, at from report_step
               where report_id = any(:ids) order by report_id, version"""
        ),
        {"ids": list(idents)},
    )
    for ident, *step in rows:
        found[ident].append(Step(*step))
    return found


async def frozen_unit(tx: AsyncSession, ident: UUID) -> OrganizationState:
    """The unit as it was when the report was frozen."""
    body = await tx.scalar(text("select unit::text from report where id = :id"), {"id": ident})
    return _UNIT.decode(body)


async def unit_names(tx: AsyncSession, idents: Collection[UUID]) -> dict[UUID, str]:
    """Report → name of its unit: the one frozen with it, else the one of now."""
    rows = await tx.execute(
        text(
            """select report.id, coalesce(report.unit->>'name', organization.state->>'name')
               from report left join organization on organization.id = report.unit_id
               where report.id = any(:ids)"""
        ),
        {"ids": list(idents)},
    )
    return {ident: name for ident, name in rows if name is not None}


async def names_then_and_now(tx: AsyncSession, report: Report) -> tuple[str, str]:
    """Of the unit of a frozen report."""
    row = await tx.execute(
        text(
            """select report.unit->>'name', organization.state->>'name'
               from report join organization on organization.id = report.unit_id
               where report.id = :id"""
        ),
        {"id": report.id},
    )
    then, now = row.one()
    return then, now


async def frozen_values(tx: AsyncSession, ident: UUID, at: str | None) -> list[Titled]:
    """In one slice, or (None) in all, in the order in which they were live."""
    rows = await tx.execute(
        text(
            """select body::text, title from report_value where report_id = :id
                 and (cast(:slice as text) is null or slice = :slice)
               order by position"""
        ),
        {"id": ident, "slice": at},
    )
    return [Titled(_VALUE.decode(body), title) for body, title in rows]
