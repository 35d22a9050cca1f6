"""People as clerks name them in the sheets of other services, and their ids.

A label, `Ёлкина Алёна Семёновна · 0b7d4c11`, has the beginning of the id, so that it is one
person's; the name alone will do where nobody else bears it.
"""

import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, String, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.sheets.reports import RowError
from nastavnik_common.sheets.words import fold
from nastavnik_registry.aggregates import trace
from nastavnik_registry.tables import ExternalId, Person, PersonMembership

_LABEL = re.compile(r"(?:^|.*[·\s])([0-9a-f]{8})$")


class Names:
    """The people of some organisations."""

    def __init__(self, people: Sequence[Person], outside: dict[str, UUID]) -> None:
        self._ids = {person.id for person in people}
        self._outside = {fold(key): ident for key, ident in outside.items()}
        self._starts: dict[str, set[UUID]] = {}
        self._names: dict[str, set[UUID]] = {}
        self._families = {fold(person.family_name) for person in people}
        for person in people:
            self._starts.setdefault(person.id.hex[:8], set()).add(person.id)
            full = fold(_full(person))
            for name in {full, fold(f"{person.family_name} {person.given_name}")}:
                self._names.setdefault(name, set()).add(person.id)

    def of(self, said: str, field: str) -> UUID:
        """RowError ``person.unknown``, ``person.ambiguous``."""
        try:
            found = {UUID(said)} & self._ids
        except ValueError:
            found = self._met(said)
        if not found:
            raise RowError("person.unknown", field)
        if len(found) > 1:
            raise RowError("person.ambiguous", field)
        return next(iter(found))

    def mentioned(self, text: str) -> bool:
        """Whether a word of it is somebody's family name."""
        return not self._families.isdisjoint(fold(text).split())

    def _met(self, said: str) -> set[UUID]:
        label = _LABEL.match(said.casefold())
        if label and label[1] in self._starts:
            return self._starts[label[1]]
        if fold(said) in self._outside:
            return {self._outside[fold(said)]}
        return self._names.get(fold(said), set())


async def load(
    tx: AsyncSession, units: Iterable[UUID], source: str, said: Iterable[str] = ()
) -> Names:
    """`said`: what cells hold; some may be ids that the source has for people."""
    people = await of_units(tx, units)
    query = select(col(ExternalId.external_id), col(ExternalId.entity_id)).where(
        col(ExternalId.source) == source,
        col(ExternalId.kind) == "participant",
        col(ExternalId.external_id) == any_(bindparam(None, list(said), type_=ARRAY(String))),
    )
    ours = {person.id for person in people}
    outside = {key: ident for key, ident in (await tx.execute(query)).tuples() if ident in ours}
    return Names(people, outside)


async def of_units(tx: AsyncSession, units: Iterable[UUID]) -> list[Person]:
    """With a name, and a membership there, now or ever; in the order of their names."""
    members = select(col(PersonMembership.participant_id)).where(
        col(PersonMembership.organization_id).in_(list(units))
    )
    query = (
        select(Person)
        .where(
            col(Person.id).in_(members),
            col(Person.deleted).is_(False),
            col(Person.family_name).is_not(None),
        )
        .order_by(col(Person.family_name), col(Person.given_name), col(Person.id))
    )
    found = list((await tx.execute(query)).scalars())
    trace.seen((person.id for person in found), ["name"])
    return found


def label(person: Person) -> str:
    return f"{_full(person)} · {person.id.hex[:8]}"


def _full(person: Person) -> str:
    parts = (person.family_name, person.given_name, person.middle_name)
    return " ".join(part for part in parts if part)
