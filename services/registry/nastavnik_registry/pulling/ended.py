"""Roles that a changed user has no more. JSON lists all roles of a user, CSV changes single ones:
what is stored and not listed has to be named for it to end."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from itertools import islice

from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import clock, db
from nastavnik_registry.imports import mapping
from nastavnik_registry.imports.codes import Policy, policy
from nastavnik_registry.pulling import rows
from nastavnik_registry.pulling.rows import Cells
from nastavnik_registry.pulling.spool import Row, Spool

_CHUNK = 1000
_STORED = """
    select p.external_id as person, o.external_id as org, m.kind, u.kind as org_kind
    from external_id p
    join membership m on m.participant_id = p.entity_id and (m.until is null or m.until > $3)
    join org_unit u on u.id = m.organization_id
    join external_id o on o.entity_id = u.id and o.source = $1 and o.kind = 'organization'
    where p.source = $1 and p.kind = 'participant' and p.external_id = any($2)
    order by 1, 2, 3
"""


async def ended_roles(
    tx: AsyncSession, source: str, spool: Spool, at: datetime
) -> AsyncIterator[Cells]:
    raw = await db.driver(tx)
    agreed = await policy(tx, source)
    words = {kind: word for word, kind in agreed.roles.items()}
    users = (row for row in spool.rows("users") if not rows.is_gone(row))
    while chunk := {row["sourcedId"]: row for row in islice(users, _CHUNK)}:
        for stored in await raw.fetch(_STORED, source, list(chunk), clock.now().date()):
            kind, org_kind = stored["kind"], stored["org_kind"]
            if (stored["org"], kind) not in set(_listed(chunk[stored["person"]], org_kind, agreed)):
                word = words.get(kind) or mapping.role_of(kind, org_kind)
                yield rows.ended_role(stored["person"], stored["org"], word, at)


def _listed(user: Row, org_kind: str | None, agreed: Policy) -> Iterator[tuple[str, str]]:
    for role in rows.roles(user, None):
        yield role["orgSourcedId"], agreed.member_of(role["role"], org_kind)
