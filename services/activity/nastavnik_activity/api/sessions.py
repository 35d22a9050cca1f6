"""Routes of sessions."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.api import batches
from nastavnik_activity.api.bodies import NewSessionBody, SessionChanges, VoidBody
from nastavnik_activity.api.counting import Counting
from nastavnik_activity.api.fields import Day
from nastavnik_activity.api.service import Service, Wired
from nastavnik_activity.api.views import REPEATED, Deleted, SessionView
from nastavnik_activity.commands import base, journal_sessions
from nastavnik_activity.commands import sessions as commands
from nastavnik_activity.domain.journals import SessionLine
from nastavnik_activity.domain.sessions import NewSession
from nastavnik_activity.queries import sessions as queries
from nastavnik_common import clock
from nastavnik_common.events.activity import SessionState, SessionStatus
from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_common.writing import Reply, if_match

router = APIRouter(tags=["sessions"])
_DECODER = msgspec.json.Decoder(NewSession)
_LINES = msgspec.json.Decoder(SessionLine)


def _counting(service: Service) -> Counting[NewSession]:
    return Counting(
        lambda tx, asked: commands.log_all(tx, service.outbox, asked, clock.now()),
        service.metrics.sessions_logged,
        lambda state: str(state.status),
    )


def journal(service: Service, source: str) -> Counting[SessionLine]:
    """How lines of a journal are entered, and counted."""
    return Counting(
        lambda tx, asked: journal_sessions.enter_all(
            tx, service.outbox, asked, source, clock.now()
        ),
        service.metrics.sessions_logged,
        lambda state: str(state.status),
    )


@router.post(
    "/sessions",
    status_code=201,
    response_model=SessionView,
    responses={200: {**REPEATED, "model": SessionView}},
)
async def log_session(request: Request, body: NewSessionBody, service: Wired) -> Response:
    """A meeting that was held or called off, on a day on which the mentorship was active."""
    counting = _counting(service)

    async def action(tx: AsyncSession) -> Reply:
        made = base.one(await counting.run(tx, [body.asked()]))
        return _reply(made.state, created=made.created)

    response = await service.write(request, action)
    counting.committed()
    return response


@router.post(
    "/sessions:batch",
    response_class=Response,
    responses=batches.RESPONSES,
    openapi_extra=batches.request_body("NewSessionBody"),
)
async def log_sessions(request: Request, service: Wired, source: batches.Source = None) -> Response:
    """Many at once; each line is what POST /sessions takes, and is checked against those before.

    Of a journal (`source`) it may name the mentorship by its `mentorship_key` and those who did
    not come (`absent`), and have the status `voided`; one that overlaps a held session waits for
    review, see GET /sessions/reviews.
    """
    if source is not None:
        told = journal(service, source)
        response = await batches.answer(request, service, _LINES, told.run)
        told.committed()
        return response
    counting = _counting(service)
    response = await batches.answer(request, service, _DECODER, counting.run)
    counting.committed()
    return response


@router.get("/sessions")
async def list_sessions(
    service: Wired,
    mentorship_id: UUID | None = None,
    organization_id: UUID | None = None,
    since: Annotated[Day | None, Query(alias="from", description="First day")] = None,
    until: Annotated[Day | None, Query(alias="to", description="First day no longer")] = None,
    status: SessionStatus | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[SessionView]:
    """In the order of ids. Days are those of the start at its own offset."""
    async with service.sessions() as tx:
        found, more = await queries.page(
            tx,
            limit=limit,
            cursor=cursor,
            mentorship_id=mentorship_id,
            organization_id=organization_id,
            since=since,
            until=until,
            status=status,
        )
    return Page(items=[SessionView.of(state) for state in found], next_cursor=more)


@router.get("/sessions/{id:record}")
async def get_session(id: UUID, response: Response, service: Wired) -> SessionView:
    async with service.sessions() as tx:
        state = await queries.one(tx, id)
    response.headers["etag"] = f'"{state.version}"'
    return SessionView.of(state)


@router.patch("/sessions/{id:record}", response_model=SessionView)
async def correct_session(
    id: UUID, request: Request, body: SessionChanges, service: Wired
) -> Response:
    """Everything but the mentorship may be corrected; void a session of the wrong one."""

    async def action(tx: AsyncSession) -> Reply:
        wanted = if_match(request)
        return _reply(
            await commands.correct(tx, service.outbox, id, body.asked(), wanted, clock.now())
        )

    return await service.write(request, action)


@router.post("/sessions/{id:record}:void", response_model=SessionView)
async def void_session(
    id: UUID, request: Request, service: Wired, body: VoidBody | None = None
) -> Response:
    """It did not take place after all. Voiding twice changes nothing."""

    async def action(tx: AsyncSession) -> Reply:
        reason = body.reason if body else None
        return _reply(await commands.void(tx, service.outbox, id, reason, if_match(request)))

    return await service.write(request, action)


@router.delete("/sessions/{id:record}", response_model=Deleted)
async def delete_session(id: UUID, request: Request, service: Wired) -> Response:
    """A session that should never have been recorded."""

    async def action(tx: AsyncSession) -> Reply:
        await commands.delete(tx, service.outbox, id, if_match(request))
        return Reply(Deleted(id=id))

    return await service.write(request, action)


def _reply(state: SessionState, *, created: bool = False) -> Reply:
    where: dict[str, Any] = {"status": 201, "location": f"/sessions/{state.id}"} if created else {}
    return Reply(SessionView.of(state), version=state.version, **where)
