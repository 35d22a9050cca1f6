"""Personal data: told to its subject, erased, and who did what with it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_common.writing import if_match
from nastavnik_registry import bodies
from nastavnik_registry.aggregates import chain, trace
from nastavnik_registry.api import act_page
from nastavnik_registry.api.service import VERSIONED, Ident, Registry
from nastavnik_registry.commands import destruction
from nastavnik_registry.domain import privacy
from nastavnik_registry.queries import privacy as queries

router = APIRouter(tags=["personal data"])
About = Annotated[UUID | None, Query(description="About this person")]


@router.get("/purposes")
async def purposes() -> bodies.Purposes:
    """For what consents are given."""
    found = [bodies.Purpose(**p._asdict()) for p in privacy.purposes().values()]
    return bodies.Purposes(items=found)


@router.get("/participants/{ident}/personal-data")
async def personal_data(registry: Registry, ident: Ident) -> bodies.PersonalData:
    """All that is held of a person, and who read or changed it: to be handed to the subject."""
    async with registry.sessions() as tx:
        found = await queries.of_person(tx, ident)
    trace.seen([ident], privacy.WHOLE)
    return found


@router.post(
    "/participants/{ident:uuid}:erase",
    response_model=bodies.DestructionAct,
    dependencies=VERSIONED,
)
async def erase(
    request: Request, registry: Registry, ident: Ident, body: bodies.Erasure
) -> Response:
    """Destroy names, dates, contacts, documents and outside ids; every figure stays as it is. The
    answer is the act. Again: the same act. An import that names the person again brings nothing
    back."""
    expected = if_match(request)
    return await registry.write(
        request,
        lambda tx: destruction.erase(tx, registry.outbox, ident, body.basis, expected),
    )


@router.get("/destruction-acts")
async def acts(
    registry: Registry, participant_id: About = None, limit: Limit = 100, cursor: Cursor = None
) -> Page[bodies.DestructionAct]:
    """Newest first."""
    async with registry.sessions() as tx:
        return await queries.acts(tx, limit, cursor, participant_id=participant_id)


@router.get("/destruction-acts/{ident}")
async def act(registry: Registry, ident: Ident) -> bodies.DestructionAct:
    async with registry.sessions() as tx:
        return await queries.act(tx, ident)


@router.get(
    "/destruction-acts/{ident}/page",
    response_class=Response,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
async def page(registry: Registry, ident: Ident) -> Response:
    """The act to print and sign, in Russian, with its extract of the log."""
    async with registry.sessions() as tx:
        found = await queries.act(tx, ident)
    return HTMLResponse(act_page.page(found))


@router.get("/personal-trace")
async def entries(
    registry: Registry, participant_id: About = None, limit: Limit = 100, cursor: Cursor = None
) -> Page[bodies.TraceEntry]:
    """Who read or changed personal data, newest first. Categories, never values."""
    async with registry.sessions() as tx:
        return await queries.entries(tx, limit, cursor, participant_id=participant_id)


@router.post("/personal-trace:verify")
async def verify(registry: Registry, body: bodies.VerifyRequest) -> bodies.Verified:
    """Whether an entry of the trace was changed or removed. Reads all of it."""
    async with registry.sessions.begin() as tx:
        await chain.seal(tx)
    async with registry.sessions() as tx:
        return await queries.verified(tx, body.known_head)
