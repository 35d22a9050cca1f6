"""Consents of participants to the processing of their data."""

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import batches
from nastavnik_common.errors import DomainError
from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_common.writing import if_match
from nastavnik_registry import bodies
from nastavnik_registry.api.service import (
    CREATED,
    REPEATABLE,
    VERSIONED,
    Ident,
    Registry,
    tagged,
)
from nastavnik_registry.commands import consents as commands
from nastavnik_registry.domain import consents as rules
from nastavnik_registry.queries import consents as queries

router = APIRouter(prefix="/consents", tags=["consents"])
_DECODER = msgspec.json.Decoder(rules.NewConsent)


@router.post(
    "",
    status_code=201,
    response_model=bodies.Consent,
    responses={**CREATED, 200: {**CREATED[200], "model": bodies.Consent}},
    dependencies=REPEATABLE,
)
async def create_consent(request: Request, registry: Registry, body: bodies.NewConsent) -> Response:
    """Record a consent to one purpose (GET /purposes); below 18 years the legal representative
    signs. Other services learn of the purpose alone."""
    return await registry.write(
        request, lambda tx: commands.create(tx, registry.outbox, body.asked())
    )


@router.post(
    ":batch",
    response_class=Response,
    responses=batches.RESPONSES,
    openapi_extra=batches.request_body("NewConsent"),
    dependencies=REPEATABLE,
)
async def create_consents(request: Request, registry: Registry) -> Response:
    """Many at once; each line is what POST /consents takes. Good lines are recorded though others
    fail."""

    async def record(tx: AsyncSession, asked: list[rules.NewConsent]) -> batches.Results:
        found = await commands.record_all(tx, registry.outbox, asked)
        return [_done(each) for each in found]

    return await batches.answer(request, registry.write, _DECODER, record)


def _done(found: commands.Recorded | DomainError) -> batches.Done | DomainError:
    if isinstance(found, DomainError):
        return found
    return batches.Done("created" if found.new else "unchanged", found.row.id)


@router.get("")
async def list_consents(
    registry: Registry,
    participant_id: Annotated[UUID | None, Query(description="Given by this person")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[bodies.Consent]:
    async with registry.sessions() as tx:
        return await queries.many(tx, limit, cursor, participant_id=participant_id)


@router.post("/{ident:uuid}:withdraw", response_model=bodies.Consent, dependencies=VERSIONED)
async def withdraw_consent(
    request: Request, registry: Registry, ident: Ident, body: bodies.Withdrawal
) -> Response:
    """End a consent on a day; 409 `consent.withdrawn` when it ended on another. What is kept for
    this purpose alone is destroyed at once, with an act."""
    expected = if_match(request)
    return await registry.write(
        request, lambda tx: commands.withdraw(tx, registry.outbox, ident, body.on, expected)
    )


@router.get("/{ident:uuid}")
async def get_consent(registry: Registry, ident: Ident, response: Response) -> bodies.Consent:
    async with registry.sessions() as tx:
        found = await queries.one(tx, ident)
    tagged(response, found.record_version)
    return found
