"""Shadow tables beside the live ones: made, compared, and taken over row by row that differs."""

from typing import Any, NamedTuple

from nastavnik_common.events import KINDS
from nastavnik_metrics.batch import CONSUMER
from nastavnik_metrics.tables import Base

LIVE, SHADOW = "public", "rebuild"
FACTS = tuple(kind.name for kind in KINDS if CONSUMER in kind.consumers)
DERIVED = ("mentorship_member", "attendance", "owner", "cell")
TABLES = (*FACTS, *DERIVED)
DIRECTORY = ("organization", "target", "reference_count")
SHOWN = 100


class CellChange(NamedTuple):
    organization_id: Any
    school_month: int
    slice: str
    measure: str
    live: int
    rebuilt: int


class Report(NamedTuple):
    """Live and rebuilt figures at the same positions of the log."""

    cells: int
    by_measure: dict[str, int]
    sample: list[CellChange]
    lost: dict[str, int]
    """Facts by kind that the live tables know newer than the log does."""


async def create(connection: Any) -> None:
    """Empty shadow tables; what an interrupted rebuild left is thrown away."""
    async with connection.transaction():
        await drop(connection)
        await connection.execute(f"create schema {SHADOW}")
        for table in TABLES:
            await connection.execute(
                f"create table {SHADOW}.{table} (like {LIVE}.{table} including all)"
            )
        # patterns never change and mean the same to both
        await connection.execute(
            f"create view {SHADOW}.pattern as select * from {LIVE}.pattern"  # noqa: S608 -- our names
        )
        await connection.execute(
            f"create table {SHADOW}.stale (like {LIVE}.stale including defaults)"
        )


async def drop(connection: Any) -> None:
    await connection.execute(f"drop schema if exists {SHADOW} cascade")


async def keep_out_writers(connection: Any) -> None:
    """Till the end of the transaction. Readers are not disturbed."""
    names = ", ".join(f"{LIVE}.{table}" for table in TABLES)
    await connection.execute(f"lock table {names} in share row exclusive mode")


async def compare(connection: Any) -> Report:
    """Leaves the differing cells in a temporary table that goes with the transaction."""
    for table in FACTS:
        await _keep_markers(connection, table)
    await connection.execute(_DIFFERING)
    by_measure = await connection.fetch(
        "select measure, count(*) as n from differing group by measure order by measure"
    )
    sample = await connection.fetch(
        """select organization_id, school_month, slice, measure, live, rebuilt from differing
           order by organization_id, school_month, slice, measure limit $1""",
        SHOWN,
    )
    lost = {table: await connection.fetchval(_LOST.format(table=table)) for table in FACTS}
    return Report(
        sum(row["n"] for row in by_measure),
        {row["measure"]: row["n"] for row in by_measure},
        [CellChange(*row) for row in sample],
        {table: n for table, n in lost.items() if n},
    )


async def _keep_markers(connection: Any, table: str) -> None:
    """A tombstone leaves the log after a while; what it left with us stays."""
    await connection.execute(
        f"""insert into {SHADOW}.{table} select l.* from {LIVE}.{table} l
            where l.deleted and not exists (select from {SHADOW}.{table} s where s.id = l.id)"""  # noqa: S608 -- our names
    )


_DIFFERING = f"""
    create temporary table differing on commit drop as
    select organization_id, school_month, slice, measure,
           coalesce(l.value, 0) as live, coalesce(s.value, 0) as rebuilt
    from {LIVE}.cell l full join {SHADOW}.cell s
      using (organization_id, school_month, slice, measure)
    where coalesce(l.value, 0) <> coalesce(s.value, 0)
"""  # noqa: S608 -- our names
_LOST = f"""
    select count(*) from {LIVE}.{{table}} l left join {SHADOW}.{{table}} s using (id)
    where l.version > coalesce(s.version, 0)
"""  # noqa: S608 -- our names


async def take_over(connection: Any) -> dict[str, int]:
    """Put the rebuilt rows in the place of those that differ. Returns how many, by table."""
    replaced = {table: await _replace(connection, table) for table in TABLES}
    await connection.execute(
        f"""insert into {LIVE}.stale (organization_id)
            select distinct organization_id from differing"""  # noqa: S608 -- our names
    )
    if any(replaced[table] for table in DIRECTORY):
        await connection.execute(f"insert into {LIVE}.stale (organization_id) values (null)")  # noqa: S608
    return {table: n for table, n in replaced.items() if n}


async def _replace(connection: Any, table: str) -> int:
    key = Base.metadata.tables[table].primary_key.columns.keys()
    same = " and ".join(f"s.{name} = l.{name}" for name in key)
    gone = await connection.execute(
        f"""delete from {LIVE}.{table} l where not exists
            (select from {SHADOW}.{table} s where {same} and s::text = l::text)"""  # noqa: S608 -- our names
    )
    come = await connection.execute(
        f"""insert into {LIVE}.{table} select s.* from {SHADOW}.{table} s
            where not exists (select from {LIVE}.{table} l where {same})"""  # noqa: S608 -- our names
    )
    return max(int(gone.split()[-1]), int(come.split()[-1]))
