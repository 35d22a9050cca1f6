"""Where a person belongs after a row has said so. Pure."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from nastavnik_common.events.registry import Membership
from nastavnik_common.sheets.reports import RowError
from nastavnik_common.sheets.rows import Row
from nastavnik_registry import domain

Memberships = tuple[Membership, ...]


def after(before: Memberships, row: Row, unit: UUID) -> Memberships:
    """The row's membership continues the one that the person has there in that capacity, or begins
    after the home of before has ended on its first day."""
    there = [m for m in before if m.organization_id == unit and m.kind == row["kind"]]
    same = _meant(there, row["since"])
    if same is not None:
        said = msgspec.structs.replace(
            same, since=row["since"] or same.since, until=row["until"] or same.until
        )
        return domain.ordered_memberships(said if m is same else m for m in before)
    new = Membership(organization_id=unit, kind=row["kind"], since=row["since"], until=row["until"])
    return domain.ordered_memberships((*_left(before, new.since), new))


def _meant(there: Sequence[Membership], since: date | None) -> Membership | None:
    """The one that begins on that day; without a day, or where none does, the one still open."""
    for membership in there:
        if since is not None and membership.since == since:
            return membership
    going_on = [m for m in there if m.until is None]
    return going_on[0] if going_on else (there[0] if there and since is None else None)


def _left(before: Memberships, day: date | None) -> list[Membership]:
    """Homes still open end on the day."""
    found = []
    for membership in before:
        if membership.primary and membership.until is None:
            if day is None or (membership.since is not None and membership.since >= day):
                raise RowError("participant.since_needed")
            found.append(msgspec.structs.replace(membership, until=day))
        else:
            found.append(membership)
    return found
