"""Programmes of organisations."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

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
from nastavnik_registry.commands import programmes as commands
from nastavnik_registry.queries import programmes as queries

router = APIRouter(prefix="/programmes", tags=["programmes"])


@router.post(
    "",
    status_code=201,
    response_model=bodies.Programme,
    responses={**CREATED, 200: {**CREATED[200], "model": bodies.Programme}},
    dependencies=REPEATABLE,
)
async def create_programme(
    request: Request, registry: Registry, body: bodies.NewProgramme
) -> Response:
    """Start a programme; 409 `programme.exists` when the organisation and year have one."""
    return await registry.write(request, lambda tx: commands.create(tx, registry.outbox, body))


@router.get("")
async def list_programmes(
    registry: Registry,
    organization_id: UUID | None = None,
    school_year: Annotated[bodies.SchoolYearLabel | None, Query()] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[bodies.Programme]:
    async with registry.sessions() as tx:
        return await queries.many(
            tx,
            limit,
            cursor,
            organization_id=organization_id,
            school_year=school_year,
        )


@router.get("/{ident}")
async def get_programme(registry: Registry, ident: Ident, response: Response) -> bodies.Programme:
    async with registry.sessions() as tx:
        found = await queries.one(tx, ident)
    tagged(response, found.version)
    return found


@router.patch("/{ident}", response_model=bodies.Programme, dependencies=VERSIONED)
async def change_programme(
    request: Request, registry: Registry, ident: Ident, body: bodies.ProgrammePatch
) -> Response:
    expected = if_match(request)
    return await registry.write(
        request, lambda tx: commands.change(tx, registry.outbox, ident, body, expected)
    )


@router.delete("/{ident}", response_model=bodies.Deleted, dependencies=VERSIONED)
async def delete_programme(request: Request, registry: Registry, ident: Ident) -> Response:
    expected = if_match(request)
    return await registry.write(
        request, lambda tx: commands.delete(tx, registry.outbox, ident, expected)
    )
