"""Records set aside by an import in parts, until a later one brings them well."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db
from nastavnik_registry.imports.ledger import Target
from nastavnik_registry.imports.notes import PERSON, UNIT, Notes

_COLUMNS = (
    *("import_id", "source", "kind", "outside", "file", "line", "column", "code"),
    *("message", "hint"),
)
_RELEASE = """
    update import_quarantine q set released_by = $1
    where q.source = $2 and q.kind = $3 and q.released_by is null
"""
_STAGED = """
    select outside from s_user union select outside from s_role
    union select outside from s_demographics
"""
_OPEN = """
    select distinct outside from import_quarantine
    where source = $1 and kind = 'participant' and outside is not null and released_by is null
"""


async def begin(tx: AsyncSession, ident: UUID) -> None:
    """Forget what an earlier run of the same import, or its plan, has left."""
    for table in ("import_quarantine", "import_change"):
        statement = f"delete from {table} where import_id = :ident"  # noqa: S608 - our own names
        await tx.execute(sql(statement), {"ident": ident})


async def release_units(target: Target, came: Collection[str]) -> None:
    """Units that came well this time."""
    if not target.ledger.dry:
        raw = await db.driver(target.tx)
        head = (target.ledger.import_id, target.source, UNIT)
        await raw.execute(f"{_RELEASE} and q.outside = any($4)", *head, list(came))


async def open_people(target: Target) -> list[str]:
    """The people set aside before."""
    raw = await db.driver(target.tx)
    return [row[0] for row in await raw.fetch(_OPEN, target.source)]


async def staged(target: Target) -> list[str]:
    """The people of the staging tables who had been set aside before."""
    raw = await db.driver(target.tx)
    return [row[0] for row in await raw.fetch(f"{_STAGED} intersect {_OPEN}", target.source)]


async def release_people(
    target: Target, notes: Notes, came: Collection[str], *, bulk: bool
) -> None:
    """People who came well this time; in a bulk without nameless rows, the nameless ones too."""
    if target.ledger.dry:
        return
    raw = await db.driver(target.tx)
    head = (target.ledger.import_id, target.source, PERSON)
    well = [outside for outside in came if outside not in notes.left_out[PERSON]]
    await raw.execute(f"{_RELEASE} and q.outside = any($4)", *head, well)
    if bulk and not notes.nameless:
        await raw.execute(f"{_RELEASE} and q.outside is null", *head)


async def store(target: Target, notes: Notes) -> int:
    """Keep what was set aside; returns how many records."""
    raw = await db.driver(target.tx)
    head = (target.ledger.import_id, target.source)
    rows = [
        (*head, kind, outside, f.file, f.line, f.column, f.code, f.message, f.hint)
        for kind, outside, f in notes.aside
    ]
    if rows:
        await raw.copy_records_to_table("import_quarantine", records=rows, columns=list(_COLUMNS))
    return len({(one.kind, one.outside or str(one.finding.line)) for one in notes.aside})
