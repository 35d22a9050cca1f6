"""Writes of programmes: one live programme per organisation and school year."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import clock
from nastavnik_common.errors import DomainError
from nastavnik_common.events import PROGRAMME
from nastavnik_registry import aggregates, bodies
from nastavnik_registry.aggregates import programmes
from nastavnik_registry.commands.rows import Rows
from nastavnik_registry.domain import programmes as rules
from nastavnik_registry.tables import ProgrammeRow

_LISTS = {"mechanisms", "documents", "forms", "plan"}


def _columns(body: bodies.NewProgramme | bodies.ProgrammePatch, names: set[str]) -> dict[str, Any]:
    found = {name: getattr(body, name) for name in names - _LISTS}
    for name in names & _LISTS:
        found[name] = programmes.kept(name, getattr(body, name))
    if "school_year" in names:
        found["school_year"] = clock.parse_label(body.school_year)
    return found


async def _check_references(tx: AsyncSession, values: dict[str, Any]) -> None:
    unit = values.get("organization_id")
    if unit is not None:
        found = await aggregates.levels(tx, [unit])
        if unit not in found:
            raise DomainError("organization.unknown", "The organisation is unknown.")
        rules.check_level(found[unit])
    if values.get("curator_id") is not None:
        await aggregates.check_participant(tx, values["curator_id"])


_rows = Rows(
    kind=PROGRAMME,
    model=ProgrammeRow,
    place="programmes",
    index="programme_live",
    exists="The organisation has a programme for this school year.",
    columns=_columns,
    check_references=_check_references,
    state=programmes.state,
    body=programmes.body,
    rules=rules.check,
)
create, change, delete = _rows.create, _rows.change, _rows.delete
