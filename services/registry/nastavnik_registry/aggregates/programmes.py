"""Programmes: their lists as the row keeps them, their event and their body."""

from datetime import date
from typing import Any

from nastavnik_common import clock
from nastavnik_common.events.registry import (
    PlannedForm,
    PlannedMonth,
    ProgrammeDocument,
    ProgrammeState,
)
from nastavnik_registry import bodies
from nastavnik_registry.domain.programmes import first_day, ordered_mechanisms
from nastavnik_registry.tables import ProgrammeRow

FLAGS = ("methodical_materials", "material_base", "staffed", "psychological_support")


def kept(name: str, given: Any) -> list[Any]:
    """A list of a body as the row keeps it: one order for one content."""
    if name == "mechanisms":
        return list(ordered_mechanisms(given))
    order = {"documents": _document, "forms": _form, "plan": _month}[name]
    return sorted((one.model_dump(mode="json") for one in given), key=order)


def _document(one: dict[str, Any]) -> tuple[Any, ...]:
    return (one["date"], one["kind"], one["status"], one["number"] or "")


def _form(one: dict[str, Any]) -> tuple[Any, ...]:
    return (one["form"], one["mentorships"])


def _month(one: dict[str, Any]) -> tuple[Any, ...]:
    return (one["month"], one["sessions"])


def state(row: Any) -> ProgrammeState:
    """Without the numbers of documents."""
    return ProgrammeState(
        id=row.id,
        version=row.version,
        organization_id=row.organization_id,
        school_year=row.school_year,
        mechanisms=tuple(row.mechanisms),
        documents=tuple(
            ProgrammeDocument(
                kind=d["kind"], status=d["status"], date=date.fromisoformat(d["date"])
            )
            for d in row.documents
        ),
        forms=tuple(PlannedForm(**form) for form in row.forms),
        plan=tuple(
            PlannedMonth(month=first_day(m["month"]), sessions=m["sessions"]) for m in row.plan
        ),
        curator_id=row.curator_id,
        **{flag: getattr(row, flag) for flag in FLAGS},
    )


def body(row: ProgrammeRow) -> bodies.Programme:
    values = row.model_dump(exclude={"deleted", "created_at", "changed_at", "school_year"})
    return bodies.Programme.model_validate({**values, "school_year": clock.label(row.school_year)})
