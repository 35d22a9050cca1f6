"""Routes of mentorships."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.api import batches
from nastavnik_activity.api.bodies import MentorshipChanges, NewMentorshipBody, TransitionBody
from nastavnik_activity.api.fields import FormCode
from nastavnik_activity.api.service import Service, Wired
from nastavnik_activity.api.views import REPEATED, Deleted, MentorshipView
from nastavnik_activity.commands import base, journal_mentorships
from nastavnik_activity.commands import mentorships as commands
from nastavnik_activity.domain.journals import MentorshipLine
from nastavnik_activity.domain.mentorships import Action, Move, NewMentorship
from nastavnik_activity.queries import mentorships as queries
from nastavnik_common import clock
from nastavnik_common.events.activity import MentorshipState, MentorshipStatus
from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_common.writing import Reply, if_match

router = APIRouter(tags=["mentorships"])
_DECODER = msgspec.json.Decoder(NewMentorship)
_LINES = msgspec.json.Decoder(MentorshipLine)


@router.post(
    "/mentorships",
    status_code=201,
    response_model=MentorshipView,
    responses={200: {**REPEATED, "model": MentorshipView}},
)
async def form_mentorship(request: Request, body: NewMentorshipBody, service: Wired) -> Response:
    """A pair (one mentor, one mentee) or a group (three people or more); curators besides.

    422 `mentorship.consent_missing` when a member has withdrawn the consent to mentoring, or, where
    consents are required, has given none.
    It may begin up to the end of the current school year, or 92 days ahead if that is later.
    """

    async def action(tx: AsyncSession) -> Reply:
        results = await commands.form_all(
            tx, service.outbox, [body.asked()], clock.now(), consents=service.consents
        )
        made = base.one(results)
        return _reply(made.state, created=made.created)

    return await service.write(request, action)


@router.post(
    "/mentorships:batch",
    response_class=Response,
    responses=batches.RESPONSES,
    openapi_extra=batches.request_body("NewMentorshipBody"),
)
async def form_mentorships(
    request: Request, service: Wired, source: batches.Source = None
) -> Response:
    """Many at once; each line is what POST /mentorships takes. Of a journal (`source`) it may leave
    out the type."""
    if source is not None:
        return await batches.answer(
            request,
            service,
            _LINES,
            lambda tx, asked: journal_mentorships.enter_all(
                tx, service.outbox, asked, source, clock.now(), consents=service.consents
            ),
        )
    return await batches.answer(
        request,
        service,
        _DECODER,
        lambda tx, asked: commands.form_all(
            tx, service.outbox, asked, clock.now(), consents=service.consents
        ),
    )


@router.get("/mentorships")
async def list_mentorships(
    service: Wired,
    organization_id: UUID | None = None,
    status: MentorshipStatus | None = None,
    form: Annotated[FormCode | None, Query()] = None,
    participant_id: UUID | None = None,
    consent_withdrawn: Annotated[
        bool,
        Query(
            description="Only those not over yet, of which a member has withdrawn the consent to"
            " mentoring or was erased: to be ended, or the member replaced"
        ),
    ] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[MentorshipView]:
    """In the order of ids."""
    async with service.sessions() as tx:
        found, more = await queries.page(
            tx,
            limit=limit,
            cursor=cursor,
            organization_id=organization_id,
            status=status,
            form=form,
            participant_id=participant_id,
            consent_withdrawn=consent_withdrawn,
        )
    return Page(items=[MentorshipView.of(state) for state in found], next_cursor=more)


@router.get("/mentorships/{id:record}")
async def get_mentorship(id: UUID, response: Response, service: Wired) -> MentorshipView:
    async with service.sessions() as tx:
        state = await queries.one(tx, id)
    response.headers["etag"] = f'"{state.version}"'
    return MentorshipView.of(state)


@router.patch("/mentorships/{id:record}", response_model=MentorshipView)
async def change_mentorship(
    id: UUID, request: Request, body: MentorshipChanges, service: Wired
) -> Response:
    """Only while it is a draft, active or paused."""

    async def action(tx: AsyncSession) -> Reply:
        wanted = if_match(request)
        state = await commands.change(
            tx, service.outbox, id, body.asked(), wanted, consents=service.consents
        )
        return _reply(state)

    return await service.write(request, action)


@router.delete("/mentorships/{id:record}", response_model=Deleted)
async def delete_mentorship(id: UUID, request: Request, service: Wired) -> Response:
    """A mentorship that should never have been recorded, and has no sessions that count."""

    async def action(tx: AsyncSession) -> Reply:
        await commands.delete(tx, service.outbox, id, if_match(request))
        return Reply(Deleted(id=id))

    return await service.write(request, action)


def _add_transition(action: Action, text: str) -> None:
    async def handler(id: UUID, request: Request, body: TransitionBody, service: Wired) -> Response:
        return await service.write(request, _moving(service, request, id, action, body))

    router.post(
        f"/mentorships/{{id:record}}:{action}",
        name=f"{action}_mentorship",
        description=text,
        response_model=MentorshipView,
    )(handler)


def _moving(
    service: Service, request: Request, ident: UUID, action: Action, body: TransitionBody
) -> Callable[[AsyncSession], Awaitable[Reply]]:
    async def run(tx: AsyncSession) -> Reply:
        asked = Move(action=action, on=body.on, reason=body.reason)
        wanted = if_match(request)
        state = await commands.move(
            tx, service.outbox, ident, asked, wanted, clock.now(), consents=service.consents
        )
        return _reply(state)

    return run


def _reply(state: MentorshipState, *, created: bool = False) -> Reply:
    where: dict[str, Any] = (
        {"status": 201, "location": f"/mentorships/{state.id}"} if created else {}
    )
    return Reply(MentorshipView.of(state), version=state.version, **where)


_add_transition("activate", "Draft → active, from `on`.")
_add_transition("pause", "Active → paused; `on` is the last active day.")
_add_transition("resume", "Paused → active from `on`; another period begins, or the last goes on.")
_add_transition("complete", "Active or paused → completed; `on` is the last active day.")
_add_transition("terminate", "As complete, and for a reason.")
_add_transition("reopen", "Completed or terminated → active from `on`, as when it is resumed.")
