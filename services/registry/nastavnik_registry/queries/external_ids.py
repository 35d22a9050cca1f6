"""Outside ids → ours."""

from uuid import UUID

from sqlalchemy import ARRAY, String, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_registry import bodies
from nastavnik_registry.aggregates import trace
from nastavnik_registry.tables import ExternalId


async def resolve(tx: AsyncSession, body: bodies.ResolveRequest) -> bodies.Resolved:
    wanted = list(dict.fromkeys(body.ids))
    query = select(col(ExternalId.external_id), col(ExternalId.entity_id)).where(
        col(ExternalId.source) == body.source,
        col(ExternalId.kind) == body.kind,
        col(ExternalId.external_id) == any_(bindparam("ids", wanted, ARRAY(String))),
    )
    found: dict[str, UUID] = {row.external_id: row.entity_id for row in await tx.execute(query)}
    if body.kind == "participant":
        trace.seen(found.values(), ["outside_ids"])
    return bodies.Resolved(found=found, unknown=[one for one in wanted if one not in found])
