"""What operators do."""

from typing import Annotated, get_args

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.writing import Reply
from nastavnik_registry import bodies
from nastavnik_registry.api.service import REPEATABLE, Registry
from nastavnik_registry.commands.republish import republish as put_again

router = APIRouter(prefix="/admin", tags=["admin"])


@router.post(
    "/republish", status_code=202, response_model=bodies.Republished, dependencies=REPEATABLE
)
async def republish(
    request: Request,
    registry: Registry,
    kind: Annotated[bodies.AggregateKind | None, Query(description="Only this kind")] = None,
) -> Response:
    """Publish every current state again, same versions, tombstones included."""

    async def action(tx: AsyncSession) -> Reply:
        kinds = [kind] if kind else get_args(bodies.AggregateKind)
        return Reply(bodies.Republished(counts=await put_again(tx, registry.outbox, kinds)), 202)

    return await registry.write(request, action)
