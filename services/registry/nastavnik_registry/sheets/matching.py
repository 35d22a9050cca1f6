"""Who a row of participants is: by the key of its source, by СНИЛС, or by name and birth date."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, String, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.sheets.reports import RowError
from nastavnik_common.sheets.rows import Row
from nastavnik_common.sheets.words import fold
from nastavnik_registry.aggregates import people
from nastavnik_registry.aggregates.people import Individual
from nastavnik_registry.tables import ExternalId, Person, PersonMembership

SNILS = "snils"
"""The source under which СНИЛС are kept: an outside id as others, destroyed with the others."""
Named = tuple[UUID, str, date]


class People:
    """Those who may be meant by the rows of one sheet."""

    def __init__(
        self, source: str, known: dict[tuple[str, str], UUID], found: Sequence[Individual]
    ) -> None:
        self._source, self._known = source, known
        self.by_id = {person.row.id: person for person in found}
        self._named: dict[Named, list[Individual]] = {}
        for person in found:
            for membership in person.memberships:
                if person.row.birth_date is not None:
                    key = (membership.organization_id, name(person.row), person.row.birth_date)
                    self._named.setdefault(key, []).append(person)

    def of(self, row: Row, unit: UUID) -> Individual | None:
        """None: somebody new. RowError where the row does not say who."""
        for source, outside in ((self._source, row["key"]), (SNILS, row["snils"])):
            ident = self._known.get((source, outside)) if outside else None
            if ident in self.by_id:
                return self.by_id[ident]
        ours = our_id(row["key"])
        if ours in self.by_id:
            return self.by_id[ours]
        return self._by_name(row, unit)

    def _by_name(self, row: Row, unit: UUID) -> Individual | None:
        if row["birth_date"] is None:
            if row["key"] or row["snils"]:
                return None
            raise RowError("participant.unidentified")
        same = self._named.get((unit, name(row), row["birth_date"]), [])
        # under another key of the source it is somebody else of the same name
        fit = [p for p in same if not row["key"] or self._source not in dict(p.external_ids)]
        if len({p.row.id for p in fit}) > 1:
            raise RowError("participant.ambiguous")
        return fit[0] if fit else None


async def load(tx: AsyncSession, source: str, rows: Sequence[Row], units: Iterable[UUID]) -> People:
    known: dict[tuple[str, str], UUID] = {}
    for name, field in ((source, "key"), (SNILS, "snils")):
        query = select(col(ExternalId.external_id), col(ExternalId.entity_id)).where(
            col(ExternalId.source) == name,
            col(ExternalId.kind) == "participant",
            _among([row[field] for row in rows if row[field]]),
        )
        for outside, ident in (await tx.execute(query)).tuples():
            known[name, outside] = ident
    members = select(col(PersonMembership.participant_id)).where(
        col(PersonMembership.organization_id).in_(set(units))
    )
    named = {*known.values(), *(our_id(row["key"]) for row in rows)} - {None}
    query_people = select(Person).where(
        col(Person.deleted).is_(False), col(Person.id).in_(named) | col(Person.id).in_(members)
    )
    found = list((await tx.execute(query_people)).scalars())
    return People(source, known, await people.individuals(tx, found))


def _among(values: list[str]) -> ColumnElement[bool]:
    return col(ExternalId.external_id) == any_(bindparam(None, values, type_=ARRAY(String)))


def name(of: Person | Row) -> str:
    """The whole name, ё as е, any case."""
    fields = ("family_name", "given_name", "middle_name")
    parts = (of[f] if isinstance(of, Row) else getattr(of, f) for f in fields)
    return " ".join(fold(part) for part in parts if part)


def our_id(said: str | None) -> UUID | None:
    try:
        return UUID(said) if said else None
    except ValueError:
        return None
