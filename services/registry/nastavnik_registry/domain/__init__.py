"""The registry's rules, by noun. Pure: facts and today's date in, nothing or a DomainError out."""

from nastavnik_registry.domain.intervals import overlapping
from nastavnik_registry.domain.organizations import (
    RANK,
    check_codes,
    check_kind,
    check_placements,
    is_oktmo,
    may_stand_under,
    moved,
    ordered_placements,
)
from nastavnik_registry.domain.people import (
    OLDEST,
    check_memberships,
    check_person,
    check_trainings,
    is_birth_date,
    ordered_memberships,
    ordered_trainings,
    outcome,
)

__all__ = [
    "OLDEST",
    "RANK",
    "check_codes",
    "check_kind",
    "check_memberships",
    "check_person",
    "check_placements",
    "check_trainings",
    "is_birth_date",
    "is_oktmo",
    "may_stand_under",
    "moved",
    "ordered_memberships",
    "ordered_placements",
    "ordered_trainings",
    "outcome",
    "overlapping",
]
