"""Acts of destruction as they are told."""

from nastavnik_registry import bodies
from nastavnik_registry.tables import DestructionAct


def act_body(row: DestructionAct) -> bodies.DestructionAct:
    return bodies.DestructionAct(
        id=row.id,
        number=f"{row.year}-{row.number:05d}",
        drawn_at=row.drawn_at,
        kind=row.kind,
        basis=row.basis,
        actor=row.actor,
        participant_ids=row.subjects,
        categories=row.categories,
    )
