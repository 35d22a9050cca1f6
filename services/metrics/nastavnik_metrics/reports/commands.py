"""Writes: a report is opened, and moved on."""

from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.errors import ConflictError, DomainError, StaleVersionError
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.reports import freezing, obligations, queries, rules
from nastavnik_metrics.reports.freezing import Taken
from nastavnik_metrics.reports.rules import Move, Report


async def open_report(
    tx: AsyncSession, ident: UUID | None, unit: UUID, school_year: int
) -> tuple[Report, bool]:
    """The report, and whether it is new: the same id, unit and year again give the stored one."""
    chosen = ident or uuid4()
    level = await tx.scalar(
        text("select state->>'level' from organization where id = :id and state is not null"),
        {"id": unit},
    )
    if level is None:
        raise DomainError("unit.unknown", "No such unit is known here.")
    made = await tx.scalar(
        text(
            """insert into report (id, version, unit_id, school_year, level, status)
               values (:id, 1, :unit, :year, :level, 'draft')
               on conflict do nothing returning id"""
        ),
        {"id": chosen, "unit": unit, "year": school_year, "level": level},
    )
    if made is not None:
        return await queries.one(tx, chosen), True
    return await _repeated(tx, chosen, unit, school_year), False


async def _repeated(tx: AsyncSession, ident: UUID, unit: UUID, school_year: int) -> Report:
    known = await queries.find(tx, ident)
    if known is None:
        other = await queries.of_unit(tx, unit, school_year)
        raise ConflictError("report.exists", f"The unit has a report for that year: {other}.")
    if (known.unit_id, known.school_year) != (unit, school_year):
        raise ConflictError("report.id_conflict", "The id belongs to another report.")
    return known


async def move(
    tx: AsyncSession,
    ident: UUID,
    asked: Move,
    version: int | None,
    catalogue: Catalogue,
    taken: Taken | None = None,
) -> Report:
    """`taken` are the figures to freeze."""
    report = await queries.one(tx, ident, lock=True)
    if version is not None and version != report.version:
        raise StaleVersionError(report.version)
    status = rules.moved(report.status, asked.action)
    if asked.action == "submit":
        await obligations.check_children(tx, report, catalogue)
    if asked.action == "accept" and not asked.alone:
        rules.check_four_eyes((await queries.steps(tx, [ident]))[ident], asked.by)
    if asked.action == "freeze":
        if taken is None:
            raise ConflictError("report.wrong_status", "The report was accepted just now; repeat.")
        await freezing.store(tx, report, taken)
    await _write(tx, report, asked, status)
    return await queries.one(tx, ident)


async def _write(tx: AsyncSession, report: Report, asked: Move, status: rules.Status) -> None:
    about = {"id": report.id, "version": report.version + 1}
    await tx.execute(
        text("update report set status = :status, version = :version where id = :id"),
        {**about, "status": status},
    )
    await tx.execute(
        text(
            """insert into report_step (report_id, version, action, by, comment)
               values (:id, :version, :action, :by, :comment)"""
        ),
        {**about, "action": asked.action, "by": asked.by, "comment": asked.comment},
    )
