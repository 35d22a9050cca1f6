"""Ids of outside systems."""

from fastapi import APIRouter

from nastavnik_registry import bodies
from nastavnik_registry.api.service import Registry
from nastavnik_registry.queries import external_ids as queries

router = APIRouter(tags=["external ids"])


@router.post("/external-ids:resolve")
async def resolve_external_ids(registry: Registry, body: bodies.ResolveRequest) -> bodies.Resolved:
    """Outside ids → our ids. Reads only."""
    async with registry.sessions() as tx:
        return await queries.resolve(tx, body)
