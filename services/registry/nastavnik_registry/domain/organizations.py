"""Rules of org units: the order of the tree, and codes that add up."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from nastavnik_common.errors import DomainError
from nastavnik_common.events.registry import Placement
from nastavnik_registry.domain.intervals import check_interval, interval_key, overlapping

RANK = {"federation": 0, "region": 1, "municipality": 2, "organization": 3}


def check_kind(level: str, kind: str | None) -> None:
    if level == "organization" and kind is None:
        raise DomainError("organization.kind_required", "An organisation needs its kind.")
    if level != "organization" and kind is not None:
        raise DomainError("organization.kind_forbidden", "Only organisations have a kind.")


def may_stand_under(level: str, parent_level: str) -> bool:
    return RANK[parent_level] < RANK[level]


def check_placements(
    level: str, placements: Sequence[Placement], parents: Mapping[UUID, str]
) -> None:
    """`parents`: id → level of every live parent. Levels fall on the way down: no cycles."""
    for placement in placements:
        check_interval(placement)
        if placement.parent_id not in parents:
            raise DomainError("organization.unknown", "A parent unit is unknown.")
        if not may_stand_under(level, parents[placement.parent_id]):
            raise DomainError(
                "organization.parent_level", "The parent's level must be above the unit's."
            )
    if overlapping(placements):
        raise DomainError("organization.placements_overlap", "Placements overlap in time.")


def moved(placements: Sequence[Placement], parent_id: UUID, today: date) -> tuple[Placement, ...]:
    """The placements after the unit is found under `parent_id` today: what was, stays."""
    if not placements:
        return (Placement(parent_id=parent_id),)
    ordered = sorted(placements, key=interval_key)
    last = ordered[-1]
    if last.until is None and last.parent_id == parent_id:
        return tuple(ordered)
    kept = [p for p in ordered if p.since is None or p.since < today]
    kept = [_ended(p, today) for p in kept]
    return (*kept, Placement(parent_id=parent_id, since=today))


def _ended(placement: Placement, day: date) -> Placement:
    if placement.until is not None and placement.until <= day:
        return placement
    return Placement(parent_id=placement.parent_id, since=placement.since, until=day)


def check_codes(oktmo: str | None, inn: str | None, ogrn: str | None) -> None:
    if oktmo is not None and not is_oktmo(oktmo):
        raise DomainError("organization.bad_oktmo", "An ОКТМО code has 8 or 11 digits.")
    if inn is not None and not is_inn(inn):
        raise DomainError("organization.bad_inn", "The ИНН is not 10 or 12 digits that add up.")
    if ogrn is not None and not is_ogrn(ogrn):
        raise DomainError("organization.bad_ogrn", "The ОГРН is not 13 or 15 digits that add up.")


def _digits(text: str, *lengths: int) -> bool:
    return len(text) in lengths and text.isascii() and text.isdigit()


def is_oktmo(text: str) -> bool:
    return _digits(text, 8, 11)


_INN = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)


def is_inn(text: str) -> bool:
    """10 digits of a legal entity, 12 of a person; the last one, or two, are check digits."""
    if not _digits(text, 10, 12):
        return False
    checked = (9,) if len(text) == 10 else (10, 11)
    return all(_inn_digit(text[:at]) == int(text[at]) for at in checked)


def _inn_digit(head: str) -> int:
    weights = _INN[-len(head) :]
    return sum(w * int(d) for w, d in zip(weights, head, strict=True)) % 11 % 10


def is_ogrn(text: str) -> bool:
    """13 digits of a legal entity, 15 of an entrepreneur; the last is a remainder."""
    if not _digits(text, 13, 15):
        return False
    return int(text[:-1]) % (len(text) - 2) % 10 == int(text[-1])


def ordered_placements(placements: Iterable[Placement]) -> tuple[Placement, ...]:
    return tuple(sorted(placements, key=lambda p: (*interval_key(p), p.parent_id)))
