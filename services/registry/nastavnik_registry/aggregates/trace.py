"""The trace of personal data: who read or changed whose, when, by which route. Never a value.

What is read is gathered while a request is answered, and written before the answer leaves; what is
changed is written in the transaction of the change.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import clock, logs
from nastavnik_common.auth_gate import ACTOR
from nastavnik_registry.domain import privacy

ITSELF = "the service"


class Note(NamedTuple):
    """An entry to be."""

    action: str
    subjects: tuple[UUID, ...]
    categories: tuple[str, ...]
    cause: str | None = None


@dataclass
class Asked:
    """The request being answered: its ASGI scope, which knows the route when that is found, and
    whose data was read for it."""

    scope: Mapping[str, Any]
    read: dict[tuple[str, ...], dict[UUID, None]] = field(default_factory=dict)

    def route(self) -> str:
        template = getattr(self.scope.get("route"), "path_format", "unmatched")
        return f"{self.scope['method']} {template}"


_asked: ContextVar[Asked | None] = ContextVar("nastavnik_registry_asked", default=None)


@contextmanager
def asking(scope: Mapping[str, Any]) -> Iterator[Asked]:
    asked = Asked(scope)
    token = _asked.set(asked)
    try:
        yield asked
    finally:
        _asked.reset(token)


def seen(subjects: Iterable[UUID], categories: Sequence[str] = privacy.RECORD) -> None:
    """The answer will tell these categories of these people."""
    asked = _asked.get()
    if asked is not None:
        asked.read.setdefault(tuple(categories), {}).update(dict.fromkeys(subjects))


def reads(asked: Asked, action: str = "read") -> list[Note]:
    """One entry for all people of a page."""
    return [Note(action, tuple(ids), cats) for cats, ids in asked.read.items() if ids]


def actor() -> str | None:
    """Whoever asks; None: the service itself."""
    asked = _asked.get()
    who = asked.scope.get("state", {}).get(ACTOR) if asked else None
    return who.ident if who else None


async def write(tx: AsyncSession, notes: Sequence[Note]) -> list[int]:
    """Put entries into the trace, in this transaction; their ids."""
    asked = _asked.get()
    about = {
        "at": clock.now(),
        "actor": actor(),
        "route": asked.route() if asked else ITSELF,
        "correlation": logs.correlation_id(),
    }
    found = []
    for note in notes:
        parameters = {**about, **note._asdict(), "subjects": list(note.subjects)}
        parameters["categories"] = list(note.categories)
        found.append((await tx.execute(_ADD, parameters)).scalar_one())
    return found


async def changed(
    tx: AsyncSession,
    action: str,
    subjects: Iterable[UUID],
    categories: Sequence[str],
    cause: str | None = None,
) -> int | None:
    """The id of the entry; None when it is about nobody."""
    ids = tuple(subjects)
    if not ids:
        return None
    return (await write(tx, [Note(action, ids, tuple(categories), cause)]))[0]


_ADD = text(
    """
    with entry as (
        insert into personal_trace
            (at, actor, action, route, subjects, categories, correlation_id, cause)
        values (:at, :actor, :action, :route, cast(:subjects as uuid[]),
                cast(:categories as text[]), :correlation, :cause)
        returning id
    )
    insert into personal_trace_pending (entry_id) select id from entry returning entry_id
    """
)
