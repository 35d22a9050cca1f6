"""Rules of programmes: an organisation's, within its school year, nothing in it twice."""

from collections.abc import Hashable, Iterable
from datetime import date
from typing import get_args

from nastavnik_common import clock
from nastavnik_common.errors import DomainError
from nastavnik_common.events.registry import Mechanism, ProgrammeState

MECHANISMS: tuple[Mechanism, ...] = get_args(Mechanism)


def check_level(level: str) -> None:
    if level != "organization":
        raise DomainError(
            "programme.not_an_organization", "Organisations have programmes, territories do not."
        )


def check(programme: ProgrammeState) -> None:
    """Drafts and cancelled documents of a kind may repeat, approved ones not."""
    if _repeated(d.kind for d in programme.documents if d.status == "approved"):
        raise DomainError(
            "programme.duplicate_document", "Two approved documents are of the same kind."
        )
    if _repeated(planned.form for planned in programme.forms):
        raise DomainError("programme.duplicate_form", "A form is planned twice.")
    months = [planned.month for planned in programme.plan]
    if any(clock.school_year(month) != programme.school_year for month in months):
        raise DomainError("programme.month_outside", "A month is not of the school year.")
    if _repeated(months):
        raise DomainError("programme.duplicate_month", "A month is planned twice.")


def _repeated(values: Iterable[Hashable]) -> bool:
    seen = list(values)
    return len(set(seen)) < len(seen)


def ordered_mechanisms(mechanisms: Iterable[Mechanism]) -> tuple[Mechanism, ...]:
    """In the order of the target model, each once."""
    given = set(mechanisms)
    return tuple(mechanism for mechanism in MECHANISMS if mechanism in given)


def first_day(month: str) -> date:
    """``2026-10`` → 1 October 2026."""
    return date.fromisoformat(f"{month}-01")
