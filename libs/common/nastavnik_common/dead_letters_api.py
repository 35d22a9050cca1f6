"""Routes of dead letters, the same for every service that consumes.

Lists show no key, headers or values: they could hold anything. Who asks to see a record is noted.
"""

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from nastavnik_common import db
from nastavnik_common import dead_letters_commands as commands
from nastavnik_common import dead_letters_queries as queries
from nastavnik_common.dead_letters import Tables, kept_headers
from nastavnik_common.dead_letters_commands import Apply
from nastavnik_common.dead_letters_views import (
    MAX_ID,
    ActionView,
    Discard,
    Fix,
    LetterDetail,
    LetterView,
    RawHeader,
    RawRecord,
    Replayed,
    ReplayedMany,
    ReplayMany,
    State,
    Text,
)
from nastavnik_common.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from nastavnik_common.paths import register_segment

Ident = Annotated[int, Path(ge=1, le=MAX_ID)]
Chosen = Annotated[Text | None, Query()]


register_segment()


def create_router(
    sessions: db.Sessions, tables: Tables, apply: Apply, *, resumable: bool = False
) -> APIRouter:
    """`resumable`: the consumer stops at a surge of dead letters, and a watch lets it go on."""
    router = APIRouter(tags=["dead letters"])
    _add_reads(router, sessions, tables)
    _add_writes(router, sessions, tables, apply)
    if resumable:
        _add_resume(router, sessions, tables)
    return router


def _add_reads(router: APIRouter, sessions: db.Sessions, tables: Tables) -> None:
    @router.get("/dead-letters")
    async def list_dead_letters(
        topic: Chosen = None,
        code: Chosen = None,
        state: State | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[LetterView]:
        """Records that could not be read, put aside; oldest first."""
        query = queries.chosen(tables, topic, code, state, _after(cursor))
        async with sessions() as tx:
            found = (await tx.execute(query.limit(limit + 1))).all()
        return _page([queries.view(row) for row in found], limit)

    @router.get("/dead-letters/actions")
    async def list_all_actions(limit: Limit = 100, cursor: Cursor = None) -> Page[ActionView]:
        """The whole trail, oldest first; with what concerns the consumer and no letter."""
        async with sessions() as tx:
            found = await queries.actions(tx, tables, None, _after(cursor), limit + 1)
        return _page(found, limit)

    @router.get("/dead-letters/{ident:segment}")
    async def get_dead_letter(ident: Ident, reveal: bool = False) -> LetterDetail:
        """One letter. `reveal` shows the record itself, in base64, and is noted in the trail."""
        async with sessions.begin() as tx:
            shown, letter, copy = await queries.detail(tx, tables, ident)
            if reveal:
                shown.record = _raw(letter)
                shown.corrected = None if copy is None else _raw(copy)
                await commands.record_action(tx, tables, ident, "reveal", "shown")
        return shown

    @router.get("/dead-letters/{ident:segment}/actions")
    async def list_actions(
        ident: Ident, limit: Limit = 100, cursor: Cursor = None
    ) -> Page[ActionView]:
        """Who did what with the letter, when, and what came of it."""
        async with sessions() as tx:
            await queries.row(tx, tables, ident)
            found = await queries.actions(tx, tables, ident, _after(cursor), limit + 1)
        return _page(found, limit)


def _add_writes(router: APIRouter, sessions: db.Sessions, tables: Tables, apply: Apply) -> None:
    @router.post("/dead-letters:replay")
    async def replay_dead_letters(body: ReplayMany) -> ReplayedMany:
        """Try open letters again with today's code, oldest first, each in its own transaction."""
        return await commands.replay_many(sessions, tables, apply, body)

    @router.post("/dead-letters/{ident:segment}:replay")
    async def replay_dead_letter(ident: Ident) -> Replayed:
        """Try one again: the corrected copy if there is one, else the record as it came."""
        async with sessions.begin() as tx:
            return await commands.replay(tx, tables, apply, ident)

    @router.post("/dead-letters/{ident:segment}:fix")
    async def fix_dead_letter(ident: Ident, body: Fix) -> Replayed:
        """Store a corrected copy and try it. The original stays as it came."""
        async with sessions.begin() as tx:
            return await commands.fix(tx, tables, apply, ident, body)

    @router.post("/dead-letters/{ident:segment}:discard")
    async def discard_dead_letter(ident: Ident, body: Discard) -> LetterView:
        """Close a letter that shall never be applied. It stays to be looked at."""
        async with sessions.begin() as tx:
            return await commands.discard(tx, tables, ident, body)


def _add_resume(router: APIRouter, sessions: db.Sessions, tables: Tables) -> None:
    @router.post("/dead-letters:resume", status_code=202)
    async def resume_after_surge() -> ActionView:
        """Let the consumer go on that stopped at too many unreadable records. Every replica sees
        it within seconds."""
        async with sessions.begin() as tx:
            ident = await commands.record_action(tx, tables, None, "resume", "resumed")
            (action,) = await queries.actions(tx, tables, None, ident - 1, 1)
        return action


def _after(cursor: str | None) -> int:
    return max(0, min(decode_cursor(cursor, tuple[int])[0], MAX_ID)) if cursor else 0


def _page(found: list[Any], limit: int) -> Page[Any]:
    """Of one more than was asked for: whether there are more is known then."""
    more = encode_cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(items=found[:limit], next_cursor=more)


def _raw(row: Any) -> RawRecord:
    return RawRecord(
        key_base64=_text(row.key),
        headers=[
            RawHeader(name=name, value_base64=_text(value))
            for name, value in kept_headers(row.headers)
        ],
        value_base64=_text(row.value),
    )


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()
