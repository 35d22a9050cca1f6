"""What owners have in the cells now, read back: their own shares, and of mentorships also those of
their sessions."""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from nastavnik_metrics.cells import Cells
from nastavnik_metrics.dirty import Connection
from nastavnik_metrics.patterns import Patterns, Share

Owner = tuple[str, UUID]
"""Kind and id."""
COLUMNS = "kind, id, pattern, organizations"


async def of(connection: Connection, rows: Iterable[Any]) -> dict[Owner, Cells]:
    """Rows of `owner` with its `COLUMNS` → what each has."""
    found: dict[Owner, Counter[Share]] = {
        (kind, ident): Counter([Share(pattern, tuple(organizations))])
        for kind, ident, pattern, organizations in rows
    }
    mentorships = [ident for kind, ident in found if kind == "mentorship"]
    for ident, organization_id, pattern, n in await connection.fetch(_SESSIONS, mentorships):
        found["mentorship", ident][Share(pattern, (organization_id,))] += n
    patterns = Patterns()
    await patterns.load(connection, {s.pattern for shares in found.values() for s in shares})
    return {owner: patterns.sum(shares) for owner, shares in found.items()}


_SESSIONS = """
    select mentorship_id, organization_id, pattern, count(*) from session
    where mentorship_id = any($1) and pattern is not null group by 1, 2, 3
"""


async def at(connection: Connection, organization_ids: list[UUID]) -> Cells:
    """What all owners together have in the cells of the organisations."""
    counted: Counter[Share] = Counter()
    for pattern, organizations, n in await connection.fetch(_AT, organization_ids):
        counted[Share(pattern, tuple(organizations))] += n
    patterns = Patterns()
    await patterns.load(connection, {share.pattern for share in counted})
    wanted = set(organization_ids)
    return {c: n for c, n in patterns.sum(counted).items() if c.organization_id in wanted}


_AT = """
    select pattern, organizations, count(*) from owner
    where organizations && $1 and pattern is not null group by 1, 2
    union all
    select s.pattern, array[s.organization_id], count(*)
    from owner o join session s on s.mentorship_id = o.id
    where o.kind = 'mentorship' and o.organizations && $1 and s.pattern is not null group by 1, 2
"""
