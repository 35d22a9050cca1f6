"""Writes of official headcounts: one live count per unit, school year and population."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import clock
from nastavnik_common.events import REFERENCE_COUNT
from nastavnik_registry import aggregates, bodies
from nastavnik_registry.aggregates import states
from nastavnik_registry.commands.rows import Rows
from nastavnik_registry.tables import ReferenceCountRow


def _columns(
    body: bodies.NewReferenceCount | bodies.ReferenceCountPatch, names: set[str]
) -> dict[str, Any]:
    found = {name: getattr(body, name) for name in names}
    if "school_year" in names:
        found["school_year"] = clock.parse_label(body.school_year)
    return found


async def _check_references(tx: AsyncSession, values: dict[str, Any]) -> None:
    if "organization_id" in values:
        await aggregates.check_organizations(tx, [values["organization_id"]])


_rows = Rows(
    kind=REFERENCE_COUNT,
    model=ReferenceCountRow,
    place="reference-counts",
    index="reference_count_live",
    exists="There is a count for this unit, school year and population.",
    columns=_columns,
    check_references=_check_references,
    state=states.reference_count_state,
    body=states.reference_count_body,
)
create, change, delete = _rows.create, _rows.change, _rows.delete
