"""Comparing the values announced with what the cells make of them now. Reads only."""

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db
from nastavnik_common.events.metrics import IndicatorValueState
from nastavnik_metrics import months, snapshot, values
from nastavnik_metrics.audit_compare import Difference
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.settings import MetricsSettings

_VALUE = msgspec.json.Decoder(IndicatorValueState)


async def announced(settings: MetricsSettings, catalogue: Catalogue) -> list[Difference]:
    """Numerators and denominators, in a snapshot. Left out: units that wait for the announcer,
    other versions of a definition, and indicators that move with the calendar and not with cells
    alone (`at = "whole_month"`)."""
    engine = db.create_engine(settings)
    try:
        async with db.create_sessions(engine)() as tx:
            await tx.execute(text("set transaction isolation level repeatable read, read only"))
            waiting = set((await tx.execute(text("select organization_id from stale"))).scalars())
            if None in waiting:
                return []
            years = await tx.execute(
                text("select distinct (body->>'school_year')::int from indicator_value order by 1")
            )
            found: list[Difference] = []
            for year in years.scalars().all():
                found += await _of_year(tx, catalogue, year, waiting)
            return found
    finally:
        await engine.dispose()


async def _of_year(
    tx: AsyncSession, catalogue: Catalogue, year: int, waiting: set[object]
) -> list[Difference]:
    snap = await snapshot.take(tx, months.last_month(year), catalogue)
    late = {unit for at in waiting for unit in snap.tree.ancestors(at)}  # type: ignore[arg-type]
    units = sorted(snap.tree.units.keys() - late)
    steady = [i for i in catalogue.current(year) if i.at != "whole_month"]
    right = {v.id: v for v in await values.evaluated(tx, snap, units, steady)}
    bodies = await tx.execute(
        text("select body::text from indicator_value where id = any(:ids)"), {"ids": list(right)}
    )
    found = []
    for stored in map(_VALUE.decode, bodies.scalars()):
        wanted = right[stored.id]
        if stored.definition_version == wanted.definition_version:
            found += _compared(stored, wanted)
    return found


def _compared(stored: IndicatorValueState, right: IndicatorValueState) -> list[Difference]:
    about = (right.indicator, str(right.organization_id), str(right.school_year), right.form)
    pairs = {
        "numerator": (stored.numerator, right.numerator),
        "denominator": (stored.denominator, right.denominator),
    }
    return [
        Difference("value", (*about, part), *pair)
        for part, pair in pairs.items()
        if pair[0] != pair[1]
    ]
