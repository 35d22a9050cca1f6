"""Rules of participants: one home at a time, sane dates."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from nastavnik_common.errors import DomainError
from nastavnik_common.events.registry import Membership, Training
from nastavnik_registry.domain.intervals import check_interval, interval_key, overlapping

OLDEST = date(1900, 1, 1)


def check_memberships(memberships: Sequence[Membership]) -> None:
    for membership in memberships:
        check_interval(membership)
    if overlapping(m for m in memberships if m.primary):
        raise DomainError(
            "participant.memberships_overlap",
            "A person has one home at a time: primary memberships overlap.",
        )


def is_birth_date(day: date, today: date) -> bool:
    return OLDEST <= day <= today


def check_person(birth_date: date | None, teaching_since: date | None, today: date) -> None:
    if birth_date is not None and not is_birth_date(birth_date, today):
        raise DomainError("participant.birth_date", "The birth date is not a sane one.")
    if teaching_since is None:
        return
    if not is_birth_date(teaching_since, today) or (birth_date and teaching_since <= birth_date):
        raise DomainError("participant.teaching_since", "Teaching began at no sane date.")


def check_trainings(trainings: Iterable[Training], birth_date: date | None, today: date) -> None:
    first = birth_date or OLDEST
    for training in trainings:
        if training.completed_on > today:
            raise DomainError("participant.training_in_future", "A training is not over yet.")
        if training.completed_on < first:
            raise DomainError("participant.training_date", "A training was at no sane date.")


def ordered_trainings(trainings: Iterable[Training]) -> tuple[Training, ...]:
    """By day; the same training once."""
    return tuple(sorted(set(trainings), key=lambda t: (t.completed_on, t.role)))


def ordered_memberships(memberships: Iterable[Membership]) -> tuple[Membership, ...]:
    """Home first, then by time: one order for one content."""
    return tuple(
        sorted(
            memberships,
            key=lambda m: (not m.primary, *interval_key(m), m.organization_id, m.kind),
        )
    )


def going_on(memberships: Iterable[Membership], today: date) -> list[Membership]:
    return [m for m in memberships if m.until is None or m.until > today]


def outcome(before: Iterable[Membership], after: Iterable[Membership], today: date) -> str:
    """What a change of a person is: ended (nowhere any more), moved (elsewhere), or changed."""
    old, new = going_on(before, today), going_on(after, today)
    if old and not new:
        return "ended"
    return "moved" if old and _homes(old) != _homes(new) else "changed"


def _homes(memberships: Sequence[Membership]) -> set[UUID]:
    return {m.organization_id for m in memberships if m.primary} or {
        m.organization_id for m in memberships
    }
