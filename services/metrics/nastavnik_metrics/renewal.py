"""The shares and the cells, made anew from the stored facts: after an upgrade has emptied them.

Needs no log, and nothing but time: one transaction, before which no position moves.
"""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec

from nastavnik_common import events, logs
from nastavnik_metrics import sessions
from nastavnik_metrics.dirty import Connection, Dirty
from nastavnik_metrics.patterns import Share
from nastavnik_metrics.refold import refold, settle
from nastavnik_metrics.shares import Shares

log = logs.logger(__name__)
CHUNK = 5000
_RECORDS = (events.PROGRAMME, events.GATHERING, events.CONTRIBUTION)


async def renew(connection: Connection, shares: Shares) -> int:
    """Make them, if there are facts and no owners. Returns how many cells came."""
    async with connection.transaction():
        # other replicas wait at the positions, and find the work done
        await connection.execute("select from stream_position order by topic, partition for update")
        if not await connection.fetchval(_NEEDED):
            return 0
        log.info("making shares and cells anew from the facts")
        moved: Counter[Share] = Counter()
        async for dirty in _everything(connection, shares):
            moved.update(await refold(connection, dirty, shares))
        found = await settle(connection, moved, shares)
        await connection.execute("insert into stale (organization_id) values (null)")
    log.info("shares and cells are new", cells=found)
    return found


_NEEDED = """
    select not exists (select from owner) and (
      exists (select from participant) or exists (select from mentorship)
      or exists (select from programme) or exists (select from gathering)
      or exists (select from contribution) or exists (select from assessment))
"""


async def _everything(connection: Connection, shares: Shares) -> AsyncIterator[Dirty]:
    """All facts, some owners at a time."""
    async for idents in _ids(connection, "select id from mentorship"):
        dirty = Dirty(mentorships=set(idents))
        await sessions.follow(connection, idents, shares, dirty)
        yield dirty
    async for idents in _ids(connection, "select id from participant"):
        yield Dirty(persons=set(idents))
    of_organizations = "select distinct subject_id as id from assessment where of_organization"
    async for idents in _ids(connection, of_organizations):
        yield Dirty(organizations=set(idents))
    for kind in _RECORDS:
        decoder = msgspec.json.Decoder(kind.state)
        rows = f"select id, state from {kind.name} where state is not null"  # noqa: S608
        async for some in _chunks(connection, rows):
            yield Dirty(records={kind.name: {i: decoder.decode(text) for i, text in some}})


async def _ids(connection: Connection, query: str) -> AsyncIterator[list[UUID]]:
    async for rows in _chunks(connection, query):
        yield [row["id"] for row in rows]


async def _chunks(connection: Connection, query: str) -> AsyncIterator[list[Any]]:
    rows = await connection.fetch(f"{query} order by id")
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
