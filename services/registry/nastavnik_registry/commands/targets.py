"""Writes of targets: one live target per indicator, unit and school year."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import clock
from nastavnik_common.events import TARGET
from nastavnik_registry import aggregates, bodies
from nastavnik_registry.aggregates import states
from nastavnik_registry.commands.rows import Rows
from nastavnik_registry.tables import TargetRow


def _columns(body: bodies.NewTarget | bodies.TargetPatch, names: set[str]) -> dict[str, Any]:
    found = {name: getattr(body, name) for name in names - {"school_year", "percent"}}
    if "school_year" in names:
        found["school_year"] = clock.parse_label(body.school_year)
    if "percent" in names:
        found["basis_points"] = int(body.percent * 100)
    return found


async def _check_references(tx: AsyncSession, values: dict[str, Any]) -> None:
    unit = values.get("organization_id")
    if unit is not None:
        await aggregates.check_organizations(tx, [unit])


_rows = Rows(
    kind=TARGET,
    model=TargetRow,
    place="targets",
    index="target_live",
    exists="There is a target for this indicator, unit and school year.",
    columns=_columns,
    check_references=_check_references,
    state=states.target_state,
    body=states.target_body,
)
create, change, delete = _rows.create, _rows.change, _rows.delete
