"""Rows of headcounts → one live count for each unit, school year and population."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_common.auth_scope import reach
from nastavnik_common.errors import DomainError
from nastavnik_common.outbox import Outbox
from nastavnik_common.sheets.reports import Result, RowError
from nastavnik_common.sheets.rows import Row
from nastavnik_registry import bodies
from nastavnik_registry.commands import reference_counts as commands
from nastavnik_registry.sheets import units
from nastavnik_registry.tables import ReferenceCountRow


async def apply(
    tx: AsyncSession, outbox: Outbox, rows: Sequence[Row], source: str, usual: UUID | None
) -> list[Result]:
    """A result for each row."""
    known = await units.load(tx, (row["organization"] for row in rows), source, usual)
    results: list[Result] = []
    for row in rows:
        try:
            unit = known.of(row["organization"])
            reach().demand(unit)
            async with tx.begin_nested():
                results.append(await _put(tx, outbox, row, unit))
        except (DomainError, RowError) as error:
            results.append(error)
    return results


async def _put(tx: AsyncSession, outbox: Outbox, row: Row, unit: UUID) -> Result:
    said = {name: row[name] for name in ("headcount", "source", "as_of")}
    there = await tx.scalar(
        select(ReferenceCountRow).where(
            col(ReferenceCountRow.organization_id) == unit,
            col(ReferenceCountRow.school_year) == clock.parse_label(row["school_year"]),
            col(ReferenceCountRow.population) == row["population"],
            col(ReferenceCountRow.deleted).is_(False),
        )
    )
    if there is not None:
        before = there.version
        body = bodies.ReferenceCountPatch(**said)
        reply = await commands.change(tx, outbox, there.id, body, None)
        return "unchanged" if reply.version == before else "changed"
    await commands.create(
        tx,
        outbox,
        bodies.NewReferenceCount(
            organization_id=unit,
            school_year=row["school_year"],
            population=row["population"],
            **said,
        ),
    )
    return "created"
