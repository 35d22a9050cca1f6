"""What operators do with dead letters: try again, correct, discard. Each leaves a row in the trail.

The letter's row is locked first and the consumer's own locks after it, in the consumer's order. A
consumer adds letters and never locks one, so neither can wait for the other in a circle.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from sqlalchemy import func, insert, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db
from nastavnik_common import dead_letters_queries as queries
from nastavnik_common.auth_scope import caller
from nastavnik_common.dead_letters import Headers, StoredRecord, Tables, keep_headers
from nastavnik_common.dead_letters_views import (
    Discard,
    Fix,
    LetterView,
    Replayed,
    ReplayedMany,
    ReplayedOne,
    ReplayMany,
    Result,
)
from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_common.events.reading import Record, UnreadableError

Apply = Callable[[AsyncSession, Record], Awaitable[bool]]
"""Apply one record as if it came from the log, in the caller's transaction. False: the same or a
newer version was known already. UnreadableError: it cannot be read by this code either."""


async def record_action(
    tx: AsyncSession,
    tables: Tables,
    ident: int | None,
    action: str,
    result: str,
    detail: str | None = None,
) -> int:
    """One row of the trail, with who asks for it; its id."""
    row = {"letter_id": ident, "by": caller(), "action": action, "result": result, "detail": detail}
    made = insert(tables.action).values(**row).returning(tables.action.c.id)
    return int(await tx.scalar(made) or 0)


async def replay(tx: AsyncSession, tables: Tables, apply: Apply, ident: int) -> Replayed:
    letter = await _locked(tx, tables, ident)
    return await _attempt(tx, tables, apply, letter, "replay")


async def replay_many(
    sessions: db.Sessions, tables: Tables, apply: Apply, wanted: ReplayMany
) -> ReplayedMany:
    """Open letters, oldest first, each in its own transaction: one that fails keeps none back."""
    query = queries.chosen(tables, wanted.topic, wanted.code, "open", wanted.after)
    async with sessions() as tx:
        found = list((await tx.scalars(query.limit(wanted.limit + 1))).all())
    tried: list[ReplayedOne] = []
    for ident in found[: wanted.limit]:
        try:
            async with sessions.begin() as tx:
                done = await replay(tx, tables, apply, ident)
        except ConflictError:
            continue  # somebody else has closed it meanwhile
        code = done.letter.code if done.result == "failed" else None
        tried.append(ReplayedOne(id=ident, result=done.result, code=code))
    failed = sum(one.result == "failed" for one in tried)
    return ReplayedMany(
        resolved=len(tried) - failed,
        failed=failed,
        letters=tried,
        next_after=found[wanted.limit - 1] if len(found) > wanted.limit else None,
    )


async def fix(tx: AsyncSession, tables: Tables, apply: Apply, ident: int, given: Fix) -> Replayed:
    """Store a corrected copy, then try it. The copy stays even if it fails."""
    letter = await _locked(tx, tables, ident)
    before = queries.as_record(letter, await queries.newest_copy(tx, tables, ident))
    made = _corrected(before, given)
    await tx.execute(
        insert(tables.copy).values(
            letter_id=ident, key=made.key, headers=keep_headers(made.headers), value=made.value
        )
    )
    return await _attempt(tx, tables, apply, letter, "fix")


async def discard(tx: AsyncSession, tables: Tables, ident: int, given: Discard) -> LetterView:
    await _locked(tx, tables, ident)
    await _update(tx, tables, ident, discarded_at=func.now())
    await record_action(tx, tables, ident, "discard", "discarded", given.reason)
    return queries.view(await queries.row(tx, tables, ident))


async def _locked(tx: AsyncSession, tables: Tables, ident: int) -> Any:
    """Who comes second waits here, and finds the letter closed if the first has closed it."""
    letter = await queries.row(tx, tables, ident, lock=True)
    state = queries.state(letter)
    if state != "open":
        raise ConflictError("dead_letter.closed", f"The letter is {state} already.")
    return letter


async def _attempt(
    tx: AsyncSession, tables: Tables, apply: Apply, letter: Any, action: str
) -> Replayed:
    record = queries.as_record(letter, await queries.newest_copy(tx, tables, letter.id))
    result: Result = "failed"
    detail = None
    try:
        async with tx.begin_nested():
            result = "applied" if await apply(tx, record) else "superseded"
    except UnreadableError as error:
        detail = await _failed(tx, tables, letter, error.code, str(error))
    except (DBAPIError, asyncpg.PostgresError) as error:
        if not _refused(error):
            raise
        told = "the database refuses what it holds"
        detail = await _failed(tx, tables, letter, "event.not_storable", told)
    else:
        await _update(tx, tables, letter.id, resolved_at=func.now())
    await record_action(tx, tables, letter.id, action, result, detail)
    now = await queries.row(tx, tables, letter.id)
    return Replayed(letter=queries.view(now), result=result)


async def _failed(tx: AsyncSession, tables: Tables, letter: Any, code: str, error: str) -> str:
    """The letter stays open with the new error; the trail keeps the one before, if another."""
    detail = f"{code}: {error}"
    before = f"{letter.code}: {letter.error}"
    await _update(tx, tables, letter.id, code=code, error=error)
    return detail if detail == before else f"{detail} (before: {before})"


def _refused(error: DBAPIError | asyncpg.PostgresError) -> bool:
    """Whether the database took offence at the data, not at the moment. What goes past SQLAlchemy
    raises asyncpg's own errors."""
    code = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)
    return (code or "").startswith(("22", "23"))


async def _update(tx: AsyncSession, tables: Tables, ident: int, **values: Any) -> None:
    letter = tables.letter
    await tx.execute(update(letter).where(letter.c.id == ident).values(**values))


def _corrected(record: StoredRecord, given: Fix) -> StoredRecord:
    named = given.model_fields_set
    if not named & {"headers", "key_base64", "value_base64"}:
        detail = "Give headers, a key or a value that differ from what was parked."
        raise DomainError("dead_letter.nothing_given", detail)
    if "key_base64" in named:
        record = record._replace(key=_bytes(given.key_base64))
    if "value_base64" in named:
        record = record._replace(value=_bytes(given.value_base64))
    return record._replace(headers=_merged(record.headers, given.headers or {}))


def _merged(headers: Headers, given: dict[str, str | None]) -> Headers:
    kept = tuple((name, value) for name, value in headers if name not in given)
    return kept + tuple((n, value.encode()) for n, value in given.items() if value is not None)


def _bytes(given: str | None) -> bytes | None:
    try:
        return None if given is None else base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DomainError("base64.malformed", "A key or value is not base64.") from error
