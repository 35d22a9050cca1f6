"""What surveys, assessments, contributions and gatherings have in common."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity.commands import base
from nastavnik_activity.domain import records as rules
from nastavnik_activity.domain.records import S
from nastavnik_activity.tables import Record, Sort
from nastavnik_common.errors import DomainError, NotFoundError
from nastavnik_common.events import Event
from nastavnik_common.outbox import Outbox

_STRETCH = 500


class New(Protocol):
    @property
    def id(self) -> UUID | None: ...


N = TypeVar("N", bound=New)


@dataclass(frozen=True)
class Intake(Generic[N, S]):
    """How requests of one kind become records.

    `judge` makes the state, or raises DomainError; it sees the requests in order. `mark`: what
    makes two requests equal. `extra`: columns that the state does not have, and their values.
    """

    sort: Sort[S]
    judge: Callable[[N, UUID], S]
    mark: Callable[[N], bytes]
    extra: tuple[str, ...] = ()
    values: Callable[[N], tuple[Any, ...]] = lambda _: ()

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.sort.columns, "deleted", "created_as", *self.extra)

    def row(self, new: N, state: S, mark: bytes) -> tuple[Any, ...]:
        """As `columns`."""
        return (*self.sort.values(state), False, mark, *self.values(new))


async def add_all(
    tx: AsyncSession, outbox: Outbox, asked: Sequence[N], intake: Intake[N, S]
) -> list[base.Made[S] | DomainError]:
    """A result for each, in order. Those without an error are written, with their events."""
    known = await _known(tx, intake.sort, [new.id for new in asked if new.id is not None])
    results: list[base.Made[S] | DomainError] = []
    made: list[tuple[N, S, bytes]] = []
    for number, new in enumerate(asked):
        if number % _STRETCH == _STRETCH - 1:
            await asyncio.sleep(0)  # other requests are waiting for this thread
        ident = new.id or uuid4()
        try:
            mark = intake.mark(new)
            if ident in known:
                results.append(base.repeated(intake.sort.kind.name, known[ident], mark))
                continue
            state = intake.judge(new, ident)
        except DomainError as error:
            results.append(error)
            continue
        known[ident] = base.Known(mark, state)
        made.append((new, state, mark))
        results.append(base.Made(state, created=True))
    if made:
        await _write(tx, outbox, made, intake)
    return results


async def peek(tx: AsyncSession, sort: Sort[S], ident: UUID) -> S:
    """The state as it was a moment ago, to know what must be locked before the row."""
    columns = [getattr(sort.table, name) for name in sort.columns]
    row = (await tx.execute(select(*columns).where(_there(sort, ident)))).one_or_none()
    if row is None:
        raise NotFoundError(sort.kind.name, ident)
    return sort.state(row)


async def lock(tx: AsyncSession, sort: Sort[S], ident: UUID, version: int | None) -> tuple[Any, S]:
    """The row and its state, ours until the transaction ends; at the version, if one is named."""
    statement = select(sort.table).where(_there(sort, ident)).with_for_update()
    row = (await tx.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFoundError(sort.kind.name, ident)
    base.check_version(row.version, version)
    return row, sort.state(row)


async def amend(
    tx: AsyncSession, outbox: Outbox, sort: Sort[S], row: Record, state: S, verb: str = "corrected"
) -> S:
    """Have the row become the state, with the event. Nothing happens at the same version."""
    if state.version != row.version:
        sort.take(row, state)
        await outbox.add(tx, _event(outbox, sort, verb, state))
    return state


async def void(
    tx: AsyncSession,
    outbox: Outbox,
    sort: Sort[S],
    ident: UUID,
    reason: str | None,
    version: int | None,
) -> S:
    row, before = await lock(tx, sort, ident, version)
    state = rules.void(before)
    if state.version != before.version:
        row.void_reason = reason
    return await amend(tx, outbox, sort, row, state, "voided")


async def delete(
    tx: AsyncSession, outbox: Outbox, sort: Sort[S], ident: UUID, version: int | None
) -> None:
    row, state = await lock(tx, sort, ident, version)
    row.deleted = True
    row.version += 1
    await outbox.add(tx, outbox.tombstone(sort.kind, ident, row.version, sort.partition(state)))


def _event(outbox: Outbox, sort: Sort[S], verb: str, state: S) -> Event:
    return outbox.event(sort.kind, verb, state, sort.partition(state))


def _there(sort: Sort[S], ident: UUID) -> Any:
    return (col(sort.table.id) == ident) & col(sort.table.deleted).is_(False)


async def _write(
    tx: AsyncSession, outbox: Outbox, made: Sequence[tuple[Any, S, bytes]], intake: Intake[Any, S]
) -> None:
    sort = intake.sort
    await base.copy(tx, sort.kind.name, intake.columns, [intake.row(*each) for each in made])
    await outbox.copy(tx, [_event(outbox, sort, sort.first(state), state) for _, state, _ in made])


async def _known(tx: AsyncSession, sort: Sort[S], idents: Sequence[UUID]) -> dict[UUID, Any]:
    if not idents:
        return {}
    columns = [getattr(sort.table, name) for name in (*sort.columns, "deleted", "created_as")]
    statement = select(*columns).where(base.among(col(sort.table.id), idents))
    return await base.known(tx, statement, sort.state)
