"""Marks of outside ids of the erased, so that no import brings them back."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_registry.aggregates.refs import Refs

_SALT = """
    with made as (
        insert into erasure_salt (id, salt)
        select 1, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
        on conflict do nothing returning salt
    )
    select salt from made union all select salt from erasure_salt limit 1
"""
_MARK = "sha256({salt} || convert_to({source} || chr(31) || {outside}, 'UTF8'))"


async def _salt(tx: AsyncSession) -> bytes:
    """The registry's own, made when it is first needed."""
    found: bytes = (await tx.execute(text(_SALT))).scalar_one()
    return found


async def mark(tx: AsyncSession, refs: Iterable[tuple[str, str]]) -> None:
    """Remember that whoever had these ids was erased."""
    for source, outside in refs:
        values = {"salt": await _salt(tx), "source": source, "outside": outside}
        await tx.execute(_ADD, values)


async def erased(tx: AsyncSession, refs: Refs) -> bool:
    """Whether one of the ids was that of somebody erased."""
    known = [source for source, _ in refs]
    if not known or not (await tx.execute(_ANY, {"sources": known})).scalar_one():
        return False
    salt = await _salt(tx)
    for source, outside in refs:
        values = {"salt": salt, "source": source, "outside": outside}
        if (await tx.execute(_FIND, values)).scalar_one():
            return True
    return False


async def leave_out(raw: Any, source: str, tables: Iterable[str]) -> int:
    """Take the erased out of staged rows; how many people these were. `raw`: asyncpg's."""
    if not await raw.fetchval("select exists (select from erasure_mark where source = $1)", source):
        return 0
    salt = await raw.fetchval(_STORED_SALT)
    people: set[str] = set()
    for table in tables:
        rows = await raw.fetch(
            f"delete from {table} t where exists (select from erasure_mark e"  # noqa: S608
            f" where e.source = $1 and e.mark = {_STAGED}) returning outside",
            source,
            salt,
        )
        people.update(row[0] for row in rows)
    return len(people)


async def among(raw: Any, source: str, outside: Collection[str]) -> set[str]:
    """Those of the outside ids that were of somebody erased. `raw`: asyncpg's connection."""
    if not await raw.fetchval("select exists (select from erasure_mark where source = $1)", source):
        return set()
    salt = await raw.fetchval(_STORED_SALT)
    return {row[0] for row in await raw.fetch(_AMONG, source, salt, list(outside))}


_STORED_SALT = "select salt from erasure_salt"
_STAGED = _MARK.format(salt="$2::bytea", source="$1::text", outside="outside")
_AMONG = (
    "select outside from unnest($3::text[]) outside"  # noqa: S608 -- our own words
    f" join erasure_mark e on e.source = $1 and e.mark = {_STAGED}"
)
_SOURCE = "cast(:source as text)"
_OF = _MARK.format(salt="cast(:salt as bytea)", source=_SOURCE, outside="cast(:outside as text)")
_ADD = text(
    f"insert into erasure_mark (source, mark) values ({_SOURCE}, {_OF}) on conflict do nothing"  # noqa: S608 -- our own words
)
_FIND = text(
    f"select exists (select from erasure_mark where source = {_SOURCE} and mark = {_OF})"  # noqa: S608 -- our own words
)
_ANY = text("select exists (select from erasure_mark where source = any(:sources))")
