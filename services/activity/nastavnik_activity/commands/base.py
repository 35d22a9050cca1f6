"""What the commands share."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, any_, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db
from nastavnik_common.batches import Did
from nastavnik_common.errors import ConflictError, DomainError, StaleVersionError
from nastavnik_common.events.base import State

S = TypeVar("S", bound=State)


@dataclass(frozen=True)
class Made(Generic[S]):
    """A record that was asked for: new, or stored by an earlier request with the same content."""

    state: S
    created: bool


@dataclass(frozen=True)
class Entry:
    """What became of a line of a journal. `waiting`: kept for review, and not counted until
    somebody has looked. `state` if created."""

    id: UUID
    did: Did
    state: Any = None

    @property
    def created(self) -> bool:
        return self.did == "created"

    @classmethod
    def of(cls, made: Made[Any]) -> "Entry":
        return cls(made.state.id, "created" if made.created else "unchanged", made.state)


Outcome = Entry | DomainError
Results = Sequence[Made[Any] | Entry | DomainError]


@dataclass(frozen=True)
class Known(Generic[S]):
    """What an id already stands for. `state` None: a deleted record."""

    created_as: bytes
    state: S | None


def digest(*asked: Any) -> bytes:
    """Of what a client asked for; equal content, equal digest."""
    return hashlib.blake2b(msgspec.json.encode(asked), digest_size=16).digest()


def repeated(kind: str, known: Known[S], created_as: bytes) -> Made[S]:
    """The stored record, if the request is the one that made it."""
    if known.state is None or known.created_as != created_as:
        raise ConflictError(f"{kind}.id_conflict", "The id belongs to another record.")
    return Made(known.state, created=False)


def check_version(stored: int, wanted: int | None) -> None:
    if wanted is not None and wanted != stored:
        raise StaleVersionError(stored)


def one(results: Sequence[Made[S] | Entry | DomainError]) -> Made[S]:
    """The only result; raised if it is an error."""
    (result,) = results
    if isinstance(result, DomainError):
        raise result
    assert isinstance(result, Made)
    return result


def among(column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """`column = any(values)`: one parameter, however many values."""
    return column == any_(bindparam(None, list(values), type_=ARRAY(column.type)))  # type: ignore[no-any-return]


async def known(
    tx: AsyncSession, statement: Select[Any], state: Any, created_as: str = "created_as"
) -> dict[UUID, Known[Any]]:
    """Rows with `id`, `deleted` and `created_as` → what the ids stand for."""
    return {
        row.id: Known(getattr(row, created_as), None if row.deleted else state(row))
        for row in await tx.execute(statement)
    }


async def copy(
    tx: AsyncSession, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    raw = await db.driver(tx)
    await raw.copy_records_to_table(table, records=rows, columns=list(columns))
