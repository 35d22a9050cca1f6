"""Reads of dead letters and of their trail."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.dead_letters import StoredRecord, Tables, kept_headers
from nastavnik_common.dead_letters_views import (
    ActionView,
    LetterDetail,
    LetterView,
    State,
)
from nastavnik_common.errors import NotFoundError


def state(row: Any) -> State:
    if row.resolved_at is not None:
        return "resolved"
    return "open" if row.discarded_at is None else "discarded"


def in_state(tables: Tables, wanted: State) -> ColumnElement[bool]:
    letter = tables.letter.c
    if wanted == "resolved":
        return letter.resolved_at.is_not(None)
    if wanted == "discarded":
        return letter.discarded_at.is_not(None)
    return and_(letter.resolved_at.is_(None), letter.discarded_at.is_(None))


def view(row: Any) -> LetterView:
    return LetterView(state=state(row), **{name: getattr(row, name) for name in _SHOWN})


_SHOWN = tuple(name for name in LetterView.model_fields if name != "state")


def chosen(
    tables: Tables, topic: str | None, code: str | None, wanted: State | None, after: int
) -> Select[Any]:
    """Letters in the order of their ids; without key, headers and value."""
    letter = tables.letter.c
    query = select(*(letter[name] for name in _SHOWN)).where(letter.id > after).order_by(letter.id)
    if topic is not None:
        query = query.where(letter.topic == topic)
    if code is not None:
        query = query.where(letter.code == code)
    return query if wanted is None else query.where(in_state(tables, wanted))


async def row(tx: AsyncSession, tables: Tables, ident: int, *, lock: bool = False) -> Any:
    """The whole row; NotFoundError."""
    query = select(tables.letter).where(tables.letter.c.id == ident)
    found = (await tx.execute(query.with_for_update() if lock else query)).one_or_none()
    if found is None:
        raise NotFoundError("dead_letter", ident)
    return found


async def newest_copy(tx: AsyncSession, tables: Tables, ident: int) -> Any | None:
    copy = tables.copy
    query = select(copy).where(copy.c.letter_id == ident).order_by(copy.c.id.desc()).limit(1)
    return (await tx.execute(query)).one_or_none()


def as_record(letter: Any, copy: Any | None) -> StoredRecord:
    """What is tried: the corrected copy if there is one, at the place of the original."""
    source = letter if copy is None else copy
    place = (letter.topic, letter.partition, letter.offset)
    return StoredRecord(*place, source.key, source.value, kept_headers(source.headers))


async def detail(tx: AsyncSession, tables: Tables, ident: int) -> tuple[LetterDetail, Any, Any]:
    """The view without the record, and the rows of the letter and its newest copy."""
    letter = await row(tx, tables, ident)
    copy = await newest_copy(tx, tables, ident)
    headers = kept_headers(letter.headers)
    shown = LetterDetail(
        **view(letter).model_dump(),
        header_names=[name for name, _ in headers],
        key_bytes=None if letter.key is None else len(letter.key),
        headers_bytes=sum(len(name.encode()) + len(value or b"") for name, value in headers),
        value_bytes=None if letter.value is None else len(letter.value),
        corrected_at=None if copy is None else copy.made_at,
    )
    return shown, letter, copy


async def actions(
    tx: AsyncSession, tables: Tables, ident: int | None, after: int, limit: int
) -> list[ActionView]:
    """The trail of a letter, or (None) all of it; oldest first."""
    action = tables.action
    query = select(action).where(action.c.id > after).order_by(action.c.id).limit(limit)
    if ident is not None:
        query = query.where(action.c.letter_id == ident)
    return [ActionView(**found) for found in (await tx.execute(query)).mappings()]


async def open_by_topic(tx: AsyncSession, tables: Tables) -> dict[str, int]:
    topic = tables.letter.c.topic
    counted = select(topic, func.count()).where(in_state(tables, "open")).group_by(topic)
    return dict((await tx.execute(counted)).tuples().all())


async def last_resume(tx: AsyncSession, tables: Tables) -> int:
    action = tables.action.c
    newest = select(func.coalesce(func.max(action.id), 0)).where(
        action.action == "resume", action.letter_id.is_(None)
    )
    return int(await tx.scalar(newest) or 0)
