"""Writes of aggregates that are one row each: created, changed and deleted in one way."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.errors import ConflictError
from nastavnik_common.events import Kind
from nastavnik_common.events.base import State
from nastavnik_common.outbox import Outbox
from nastavnik_common.writing import Reply
from nastavnik_registry import aggregates, bodies

S = TypeVar("S", bound=State)


@dataclass(frozen=True)
class Rows(Generic[S]):
    """What is particular about one noun.

    `columns` turns named fields of a body into columns; `check_references` sees those that a
    write sets, `rules` the state it leads to. One live row at a time is in the unique `index`.
    """

    kind: Kind[S]
    model: type[Any]
    place: str
    index: str
    exists: str
    columns: Callable[[Any, set[str]], dict[str, Any]]
    check_references: Callable[[AsyncSession, dict[str, Any]], Awaitable[None]]
    state: Callable[[Any], S]
    body: Callable[[Any], BaseModel]
    rules: Callable[[S], None] = lambda _: None

    async def create(self, tx: AsyncSession, outbox: Outbox, body: Any) -> Reply:
        """201, or 200 with the stored one when it is the same again."""
        ident = body.id or uuid4()
        values = self.columns(body, set(type(body).model_fields) - {"id"})
        if body.id is not None:
            await aggregates.reserve(tx, ident)
            stored = await aggregates.find(tx, self.model, ident)
            if stored is not None:
                return self._again(stored, values)
        row = self.model(id=ident, version=1, **values)
        await self.check_references(tx, values)
        self.rules(self.state(row))
        tx.add(row)
        await self._flush(tx)
        await outbox.add(tx, outbox.event(self.kind, self.kind.verbs[0], self.state(row)))
        return self._reply(row, 201)

    def _again(self, stored: Any, values: dict[str, Any]) -> Reply:
        if stored.deleted or any(getattr(stored, n) != v for n, v in values.items()):
            raise ConflictError(
                f"{self.kind.name}.id_conflict", "The id names another record of the kind."
            )
        return self._reply(stored, 200)

    async def change(
        self, tx: AsyncSession, outbox: Outbox, ident: UUID, body: Any, expected: int | None
    ) -> Reply:
        """Merge the fields given. What changes nothing keeps the version and emits nothing."""
        row = await aggregates.live(tx, self.model, self.kind.name, ident, "change")
        aggregates.check_version(row.version, expected)
        values = self.columns(body, body.model_fields_set)
        if all(getattr(row, name) == value for name, value in values.items()):
            return self._reply(row, 200)
        await self.check_references(tx, values)
        for name, value in values.items():
            setattr(row, name, value)
        self.rules(self.state(row))
        aggregates.step(row)
        await self._flush(tx)
        await outbox.add(tx, outbox.event(self.kind, "changed", self.state(row)))
        return self._reply(row, 200)

    async def delete(
        self, tx: AsyncSession, outbox: Outbox, ident: UUID, expected: int | None
    ) -> Reply:
        row = await aggregates.live(tx, self.model, self.kind.name, ident, "delete")
        aggregates.check_version(row.version, expected)
        aggregates.step(row, deleted=True)
        await tx.flush()
        await outbox.add(tx, outbox.tombstone(self.kind, ident, row.version))
        return Reply(bodies.Deleted(id=ident, version=row.version), version=row.version)

    async def _flush(self, tx: AsyncSession) -> None:
        await aggregates.flush(
            tx, self.index, ConflictError(f"{self.kind.name}.exists", self.exists)
        )

    def _reply(self, row: Any, status: int) -> Reply:
        place = f"/{self.place}/{row.id}" if status == 201 else None
        return Reply(self.body(row), status, row.version, place)
