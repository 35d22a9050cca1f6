"""Routes of contributions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.api.counting import Counting
from nastavnik_activity.api.fields import Day
from nastavnik_activity.api.records import Noun, add_routes
from nastavnik_activity.api.service import Service, Wired
from nastavnik_activity.api.shapes.contributions import (
    ContributionChanges,
    ContributionView,
    NewContributionBody,
)
from nastavnik_activity.api.views import REPEATED
from nastavnik_activity.commands import base
from nastavnik_activity.commands import contributions as commands
from nastavnik_activity.domain.contributions import NewContribution
from nastavnik_activity.queries import records as queries
from nastavnik_activity.tables import CONTRIBUTIONS
from nastavnik_common import clock
from nastavnik_common.events.activity import PartnerKind, RecordStatus, ResourceKind
from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_common.writing import Reply, if_match

router = APIRouter(tags=["contributions"])
NOUN = Noun("/contributions", CONTRIBUTIONS, ContributionView, ContributionView.of)


def _counting(service: Service) -> Counting[NewContribution]:
    return Counting(
        lambda tx, asked: commands.record_all(tx, service.outbox, asked, clock.now()),
        service.metrics.contributions_recorded,
        lambda state: str(state.kind),
    )


@router.post(
    "/contributions",
    status_code=201,
    response_model=ContributionView,
    responses={200: {**REPEATED, "model": ContributionView}},
)
async def record_contribution(
    request: Request, body: NewContributionBody, service: Wired
) -> Response:
    """Resources or investment that a partner gives; what is no money, at its worth in roubles."""
    counting = _counting(service)

    async def action(tx: AsyncSession) -> Reply:
        made = base.one(await counting.run(tx, [body.asked()]))
        return NOUN.reply(made.state, created=made.created)

    response = await service.write(request, action)
    counting.committed()
    return response


@router.get("/contributions")
async def list_contributions(
    service: Wired,
    organization_id: UUID | None = None,
    partner_id: UUID | None = None,
    partner_kind: PartnerKind | None = None,
    kind: ResourceKind | None = None,
    status: RecordStatus | None = None,
    since: Annotated[Day | None, Query(alias="from", description="First day")] = None,
    until: Annotated[Day | None, Query(alias="to", description="First day no longer")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[ContributionView]:
    """In the order of ids."""
    equal = {
        "organization_id": organization_id,
        "partner_id": partner_id,
        "partner_kind": partner_kind,
        "kind": kind,
        "status": status,
    }
    async with service.sessions() as tx:
        found, more = await queries.page(
            tx, CONTRIBUTIONS, limit=limit, cursor=cursor, equal=equal, since=since, until=until
        )
    return Page(items=[ContributionView.of(state) for state in found], next_cursor=more)


@router.patch("/contributions/{id:record}", response_model=ContributionView)
async def correct_contribution(
    id: UUID, request: Request, body: ContributionChanges, service: Wired
) -> Response:
    """Everything but the organisation; void one of the wrong organisation."""

    async def action(tx: AsyncSession) -> Reply:
        wanted, now = if_match(request), clock.now()
        return NOUN.reply(await commands.correct(tx, service.outbox, id, body.asked(), wanted, now))

    return await service.write(request, action)


add_routes(router, NOUN)
