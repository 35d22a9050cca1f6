"""A bulk of people read by columns → the registry: only those who differ are staged."""

import asyncio
from io import BytesIO
from typing import Any, NamedTuple

import polars as pl

from nastavnik_common import db
from nastavnik_registry.imports import newcomers, people, quarantine
from nastavnik_registry.imports.columnar.people import People
from nastavnik_registry.imports.ledger import Target
from nastavnik_registry.imports.notes import Notes

_PORTION = 20_000  # people in one statement: progress is seen between them
_USER = (
    *("outside", "line", "family_name", "given_name", "middle_name", "email", "phone"),
    *("teaching_since", "home", "hash", "known"),
)
_ROLE = ("outside", "seq", "organization_id", "kind", "first", "since", "until")
_DEMOGRAPHICS = ("outside", "line", "birth_date")
_STORED = """
    select external_id, '\\x' || encode(content_hash, 'hex'), entity_id from external_id
    where source = $1 and kind = 'participant'
"""


class Applied(NamedTuple):
    """How many are new, changed, unchanged; the outside ids that are named no more, and those of
    people set aside before who came well."""

    written: tuple[int, int, int]
    gone: list[str]
    came: list[str]


async def apply(target: Target, found: People, notes: Notes, tick: people.Tick) -> Applied:
    raw = await db.driver(target.tx)
    stored = await _stored(raw, target.source)
    differing, gone = await asyncio.to_thread(_compared, found.users, stored)
    total = found.users.height
    present = people.Present(found.roles is not None, found.demographics is not None)
    await people.prepare(raw)
    added = changed = 0
    for start in range(0, differing.height, _PORTION):
        tick(total - differing.height + start)
        portion = differing.slice(start, _PORTION)
        await _stage(raw, found, portion)
        if portion["known"].null_count():
            added += await newcomers.load(target)
        if portion["known"].count():
            changed += await people.update(target, present, notes)
    tick(total)
    aside = found.users["outside"].is_in(await quarantine.open_people(target))
    came = found.users["outside"].filter(aside).to_list()
    return Applied((added, changed, total - added - changed), gone, came)


async def _stored(raw: Any, source: str) -> pl.DataFrame:
    """outside, was, known of all whom the source has named: id, hash last imported, our id."""
    parts: list[bytes] = []

    async def take(part: bytes) -> None:
        parts.append(part)

    await raw.copy_from_query(_STORED, source, output=take, format="csv")
    schema = dict.fromkeys(("outside", "was", "known"), pl.String)
    if not parts:
        return pl.DataFrame(schema=schema)
    return pl.read_csv(b"".join(parts), has_header=False, schema=schema)


def _compared(users: pl.DataFrame, stored: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Those whose content is not what was last imported; the ids of those who are not there."""
    joined = users.join(stored, on="outside", how="left", maintain_order="left")
    gone = stored.join(users, on="outside", how="anti")["outside"]
    return joined.filter(pl.col("hash").ne_missing(pl.col("was"))), gone.to_list()


async def _stage(raw: Any, found: People, portion: pl.DataFrame) -> None:
    """Put these people, and only them, into the staging tables."""
    await raw.execute("truncate s_user, s_role, s_demographics")
    await _copy(raw, "s_user", portion.select(_USER))
    for table, rows, columns in (
        ("s_role", found.roles, _ROLE),
        ("s_demographics", found.demographics, _DEMOGRAPHICS),
    ):
        if rows is not None:
            theirs = rows.join(portion, on="outside", how="semi")
            await _copy(raw, table, theirs.select(columns))
    await raw.execute("analyze s_user, s_role, s_demographics")


async def _copy(raw: Any, table: str, rows: pl.DataFrame) -> None:
    text = BytesIO()
    rows.write_csv(text, include_header=False)
    text.seek(0)
    await raw.copy_to_table(table, source=text, columns=rows.columns, format="csv")
