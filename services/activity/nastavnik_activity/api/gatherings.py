"""Routes of gatherings."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.api.counting import Counting
from nastavnik_activity.api.fields import Day
from nastavnik_activity.api.records import Noun, add_routes
from nastavnik_activity.api.service import Service, Wired
from nastavnik_activity.api.shapes.gatherings import (
    GatheringChanges,
    GatheringView,
    NewGatheringBody,
)
from nastavnik_activity.api.views import REPEATED
from nastavnik_activity.commands import base
from nastavnik_activity.commands import gatherings as commands
from nastavnik_activity.domain.gatherings import NewGathering
from nastavnik_activity.queries import records as queries
from nastavnik_activity.tables import GATHERINGS
from nastavnik_common import clock
from nastavnik_common.events.activity import SessionStatus
from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_common.writing import Reply, if_match

router = APIRouter(tags=["gatherings"])
NOUN = Noun("/gatherings", GATHERINGS, GatheringView, GatheringView.of)


def _counting(service: Service) -> Counting[NewGathering]:
    return Counting(
        lambda tx, asked: commands.record_all(tx, service.outbox, asked, clock.now()),
        service.metrics.gatherings_recorded,
        lambda state: str(state.status),
    )


@router.post(
    "/gatherings",
    status_code=201,
    response_model=GatheringView,
    responses={200: {**REPEATED, "model": GatheringView}},
)
async def record_gathering(request: Request, body: NewGatheringBody, service: Wired) -> Response:
    """An event of an organisation's programme, outside any one mentorship."""
    counting = _counting(service)

    async def action(tx: AsyncSession) -> Reply:
        made = base.one(await counting.run(tx, [body.asked()]))
        return NOUN.reply(made.state, created=made.created)

    response = await service.write(request, action)
    counting.committed()
    return response


@router.get("/gatherings")
async def list_gatherings(
    service: Wired,
    organization_id: UUID | None = None,
    status: SessionStatus | None = None,
    since: Annotated[Day | None, Query(alias="from", description="First day")] = None,
    until: Annotated[Day | None, Query(alias="to", description="First day no longer")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[GatheringView]:
    """In the order of ids."""
    equal = {"organization_id": organization_id, "status": status}
    async with service.sessions() as tx:
        found, more = await queries.page(
            tx, GATHERINGS, limit=limit, cursor=cursor, equal=equal, since=since, until=until
        )
    return Page(items=[GatheringView.of(state) for state in found], next_cursor=more)


@router.patch("/gatherings/{id:record}", response_model=GatheringView)
async def correct_gathering(
    id: UUID, request: Request, body: GatheringChanges, service: Wired
) -> Response:
    """Everything but the organisation; void one of the wrong organisation."""

    async def action(tx: AsyncSession) -> Reply:
        wanted, now = if_match(request), clock.now()
        return NOUN.reply(await commands.correct(tx, service.outbox, id, body.asked(), wanted, now))

    return await service.write(request, action)


add_routes(router, NOUN)
