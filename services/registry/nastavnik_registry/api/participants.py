"""Participants: people with dated memberships."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from nastavnik_common.events.registry import ParticipantKind
from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_common.paths import register_segment
from nastavnik_common.writing import if_match
from nastavnik_registry import bodies
from nastavnik_registry.api.service import (
    CREATED,
    REPEATABLE,
    VERSIONED,
    Ident,
    NamePart,
    Registry,
    tagged,
)
from nastavnik_registry.commands import participants as commands
from nastavnik_registry.queries import participants as queries

register_segment()
router = APIRouter(prefix="/participants", tags=["participants"])


@router.post(
    "",
    status_code=201,
    response_model=bodies.Participant,
    responses={**CREATED, 200: {**CREATED[200], "model": bodies.Participant}},
    dependencies=REPEATABLE,
)
async def create_participant(
    request: Request, registry: Registry, body: bodies.NewParticipant
) -> Response:
    """Register a person. Primary memberships (home) do not overlap in time."""
    return await registry.write(request, lambda tx: commands.create(tx, registry.outbox, body))


@router.get("")
async def list_participants(
    registry: Registry,
    organization_id: Annotated[
        UUID | None, Query(description="With a membership there, now or ever")
    ] = None,
    kind: Annotated[ParticipantKind | None, Query(description="Of such a membership")] = None,
    name: NamePart = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[bodies.Participant]:
    async with registry.sessions() as tx:
        return await queries.many(
            tx, limit, cursor, organization_id=organization_id, kind=kind, name=name
        )


@router.get("/{ident:segment}")
async def get_participant(
    registry: Registry, ident: Ident, response: Response
) -> bodies.Participant:
    async with registry.sessions() as tx:
        found = await queries.one(tx, ident)
    tagged(response, found.version)
    return found


@router.patch("/{ident:segment}", response_model=bodies.Participant, dependencies=VERSIONED)
async def change_participant(
    request: Request, registry: Registry, ident: Ident, body: bodies.ParticipantPatch
) -> Response:
    expected = if_match(request)
    return await registry.write(
        request, lambda tx: commands.change(tx, registry.outbox, ident, body, expected)
    )


@router.delete("/{ident:segment}", response_model=bodies.Deleted, dependencies=VERSIONED)
async def delete_participant(request: Request, registry: Registry, ident: Ident) -> Response:
    """Retract a person that should never have been recorded. Personal data and consents are
    destroyed; 409 while the person is the curator of a programme."""
    expected = if_match(request)
    return await registry.write(
        request, lambda tx: commands.delete(tx, registry.outbox, ident, expected)
    )
