"""Freezing: the figures of the moment, and what they are made of, go into the report."""

from typing import NamedTuple

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db
from nastavnik_common.events.metrics import IndicatorValueState
from nastavnik_common.events.registry import OrganizationState
from nastavnik_metrics import months, queries, snapshot, values
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.reports import parts
from nastavnik_metrics.reports.parts import Adds, Part
from nastavnik_metrics.reports.rules import Report


class Taken(NamedTuple):
    unit: OrganizationState
    last_change: int
    values: list[IndicatorValueState]
    titles: dict[str, str]
    parts: dict[Part, Adds]


async def take(tx: AsyncSession, report: Report, catalogue: Catalogue) -> Taken:
    """All indicators in all slices. The transaction must see one state of the database."""
    unit = await queries.unit(tx, report.unit_id)
    current = catalogue.current(report.school_year)
    snap = await snapshot.take(tx, months.last_month(report.school_year), catalogue)
    return Taken(
        unit,
        await queries.last_change(tx),
        await values.evaluated(tx, snap, [unit.id], current),
        {indicator.code: indicator.title.ru for indicator in current},
        await parts.taken(tx, snap, unit.id, current),
    )


async def store(tx: AsyncSession, report: Report, taken: Taken) -> None:
    await tx.execute(
        text(
            """update report set unit = :unit, watermark = :watermark, last_change = :last
               where id = :id"""
        ),
        {
            "id": report.id,
            "unit": msgspec.json.encode(taken.unit).decode(),
            "watermark": taken.values[0].watermark if taken.values else None,
            "last": taken.last_change,
        },
    )
    raw = await db.driver(tx)
    await raw.copy_records_to_table(
        "report_value",
        columns=["report_id", "indicator", "slice", "position", "title", "body"],
        records=[
            (report.id, v.indicator, v.form, position, taken.titles[v.indicator], _json(v))
            for position, v in enumerate(taken.values)
        ],
    )
    await raw.copy_records_to_table(
        "report_part",
        columns=["report_id", "kind", "id", "organization_id", "adds"],
        records=[(report.id, *part, _json(adds)) for part, adds in taken.parts.items()],
    )


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
