"""Rows of participants → people registered, changed, moved. A blank cell leaves what is there."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.auth_scope import reach
from nastavnik_common.errors import DomainError
from nastavnik_common.events.registry import Membership, Training
from nastavnik_common.outbox import Outbox
from nastavnik_common.sheets.reports import Done, Result, RowError
from nastavnik_common.sheets.rows import Row
from nastavnik_registry import bodies
from nastavnik_registry.aggregates.people import Individual
from nastavnik_registry.commands import participants as commands
from nastavnik_registry.sheets import matching, units
from nastavnik_registry.sheets.matching import SNILS
from nastavnik_registry.sheets.memberships import after

_PLAIN = (
    "family_name",
    "given_name",
    "middle_name",
    "birth_date",
    "email",
    "phone",
    "teaching_since",
)


async def apply(
    tx: AsyncSession, outbox: Outbox, rows: Sequence[Row], source: str, usual: UUID | None
) -> list[Result]:
    """A result for each row. Those that are refused leave nothing behind."""
    known = await units.load(tx, (row["organization"] for row in rows), source, usual)
    placed: list[UUID | RowError] = []
    for row in rows:
        try:
            placed.append(known.of(row["organization"]))
        except RowError as error:
            placed.append(error)
    found = {unit for unit in placed if isinstance(unit, UUID)}
    sheet = _Sheet(tx, outbox, source, await matching.load(tx, source, rows, found))
    return [
        unit if isinstance(unit, RowError) else await sheet.take(row, unit)
        for row, unit in zip(rows, placed, strict=True)
    ]


class _Sheet:
    def __init__(
        self, tx: AsyncSession, outbox: Outbox, source: str, people: matching.People
    ) -> None:
        self._tx, self._outbox, self._source, self._people = tx, outbox, source, people
        self._seen: set[object] = set()

    async def take(self, row: Row, unit: UUID) -> Result:
        try:
            reach().demand(unit)
            self._once(*self._marks(row, unit))
            person = self._people.of(row, unit)
            if person is None:
                async with self._tx.begin_nested():
                    return await self._register(row, unit)
            self._once(person.row.id)
            return await self._change(person, row, unit)
        except (DomainError, RowError) as error:
            return error

    def _once(self, *marks: object) -> None:
        if self._seen.intersection(marks):
            raise RowError("participant.named_twice")
        self._seen.update(marks)

    def _marks(self, row: Row, unit: UUID) -> list[object]:
        """What a later row of the same person would share."""
        named = [] if row["key"] else [(unit, matching.name(row), row["birth_date"])]
        return [*self._refs(row), *named]

    async def _register(self, row: Row, unit: UUID) -> Done:
        membership = Membership(
            organization_id=unit, kind=row["kind"], since=row["since"], until=row["until"]
        )
        body = bodies.NewParticipant(
            **{name: row[name] for name in _PLAIN},
            memberships=[_membership(membership)],
            trainings=[_training(t) for t in _trainings(row)],
            external_ids=[_ref(ref) for ref in self._refs(row)],
        )
        await commands.create(self._tx, self._outbox, body)
        return "created"

    async def _change(self, person: Individual, row: Row, unit: UUID) -> Done:
        changes = self._changes(person, row, unit)
        if not changes:
            return "unchanged"
        _check_reach(person, changes)
        async with self._tx.begin_nested():
            body = bodies.ParticipantPatch(**changes)
            await commands.change(self._tx, self._outbox, person.row.id, body, None)
        return "changed"

    def _changes(self, person: Individual, row: Row, unit: UUID) -> dict[str, Any]:
        """Only what the row says otherwise."""
        found: dict[str, Any] = {
            name: row[name]
            for name in _PLAIN
            if row[name] is not None and row[name] != getattr(person.row, name)
        }
        memberships = after(person.memberships, row, unit)
        if memberships != person.memberships:
            found["memberships"] = [_membership(m) for m in memberships]
        trainings = {*person.trainings, *_trainings(row)}
        if trainings != set(person.trainings):
            found["trainings"] = [_training(t) for t in trainings]
        refs = {*person.external_ids, *self._refs(row)}
        if sum(source == SNILS for source, _ in refs) > 1:
            raise RowError("participant.snils_differs")
        if refs != set(person.external_ids):
            found["external_ids"] = [_ref(ref) for ref in refs]
        return found

    def _refs(self, row: Row) -> list[tuple[str, str]]:
        ours = matching.our_id(row["key"]) in self._people.by_id
        named = ((self._source, None if ours else row["key"]), (SNILS, row["snils"]))
        return [(source, outside) for source, outside in named if outside]


def _check_reach(person: Individual, changes: dict[str, Any]) -> None:
    """As with PATCH: one of a person's units is enough, but not to move the person."""
    places = [membership.organization_id for membership in person.memberships]
    covered = list(map(reach().covers, places))
    if not any(covered) or ("memberships" in changes and not all(covered)):
        raise RowError("participant.elsewhere")


def _trainings(row: Row) -> list[Training]:
    done = row["trained_on"]
    return [Training(role="mentor", completed_on=done)] if done else []


def _membership(found: Membership) -> bodies.MembershipBody:
    return bodies.MembershipBody(
        organization_id=found.organization_id,
        kind=found.kind,
        primary=found.primary,
        since=found.since,
        until=found.until,
    )


def _training(found: Training) -> bodies.TrainingBody:
    return bodies.TrainingBody(role=found.role, completed_on=found.completed_on)


def _ref(found: tuple[str, str]) -> bodies.ExternalRef:
    return bodies.ExternalRef(source=found[0], id=found[1])
