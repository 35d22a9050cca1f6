"""Org units: territories and organisations."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from nastavnik_common.events.registry import Level, OrganizationKind
from nastavnik_common.paging import Cursor, Limit, Page
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
from nastavnik_registry.commands import organizations as commands
from nastavnik_registry.queries import organizations as queries

router = APIRouter(prefix="/organizations", tags=["organizations"])


@router.post(
    "",
    status_code=201,
    response_model=bodies.Organization,
    responses={**CREATED, 200: {**CREATED[200], "model": bodies.Organization}},
    dependencies=REPEATABLE,
)
async def create_organization(
    request: Request, registry: Registry, body: bodies.NewOrganization
) -> Response:
    """Register a unit. Its parent stands on a higher level; placements do not overlap."""
    return await registry.write(request, lambda tx: commands.create(tx, registry.outbox, body))


@router.get("")
async def list_organizations(
    registry: Registry,
    level: Level | None = None,
    kind: OrganizationKind | None = None,
    parent_id: Annotated[
        UUID | None, Query(description="Its direct children, as placed today")
    ] = None,
    name: NamePart = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[bodies.Organization]:
    async with registry.sessions() as tx:
        return await queries.many(
            tx, limit, cursor, level=level, kind=kind, parent_id=parent_id, name=name
        )


@router.get("/{ident}")
async def get_organization(
    registry: Registry, ident: Ident, response: Response
) -> bodies.Organization:
    async with registry.sessions() as tx:
        found = await queries.one(tx, ident)
    tagged(response, found.version)
    return found


@router.patch("/{ident}", response_model=bodies.Organization, dependencies=VERSIONED)
async def change_organization(
    request: Request, registry: Registry, ident: Ident, body: bodies.OrganizationPatch
) -> Response:
    expected = if_match(request)
    return await registry.write(
        request, lambda tx: commands.change(tx, registry.outbox, ident, body, expected)
    )


@router.delete("/{ident}", response_model=bodies.Deleted, dependencies=VERSIONED)
async def delete_organization(request: Request, registry: Registry, ident: Ident) -> Response:
    """Retract a unit that should never have existed; 409 while anything stands under it."""
    expected = if_match(request)
    return await registry.write(
        request, lambda tx: commands.delete(tx, registry.outbox, ident, expected)
    )
