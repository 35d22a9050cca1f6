"""Official headcounts."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from nastavnik_common.events.registry import Population
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
from nastavnik_registry.commands import reference_counts as commands
from nastavnik_registry.queries import reference_counts as queries

router = APIRouter(prefix="/reference-counts", tags=["reference counts"])


@router.post(
    "",
    status_code=201,
    response_model=bodies.ReferenceCount,
    responses={**CREATED, 200: {**CREATED[200], "model": bodies.ReferenceCount}},
    dependencies=REPEATABLE,
)
async def create_reference_count(
    request: Request, registry: Registry, body: bodies.NewReferenceCount
) -> Response:
    """Enter a count; 409 `reference_count.exists` when unit, year and population have one."""
    return await registry.write(request, lambda tx: commands.create(tx, registry.outbox, body))


@router.get("")
async def list_reference_counts(
    registry: Registry,
    organization_id: UUID | None = None,
    school_year: Annotated[bodies.SchoolYearLabel | None, Query()] = None,
    population: Population | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[bodies.ReferenceCount]:
    async with registry.sessions() as tx:
        return await queries.many(
            tx,
            limit,
            cursor,
            organization_id=organization_id,
            school_year=school_year,
            population=population,
        )


@router.get("/{ident}")
async def get_reference_count(
    registry: Registry, ident: Ident, response: Response
) -> bodies.ReferenceCount:
    async with registry.sessions() as tx:
        found = await queries.one(tx, ident)
    tagged(response, found.version)
    return found


@router.patch("/{ident}", response_model=bodies.ReferenceCount, dependencies=VERSIONED)
async def change_reference_count(
    request: Request, registry: Registry, ident: Ident, body: bodies.ReferenceCountPatch
) -> Response:
    expected = if_match(request)
    return await registry.write(
        request, lambda tx: commands.change(tx, registry.outbox, ident, body, expected)
    )


@router.delete("/{ident}", response_model=bodies.Deleted, dependencies=VERSIONED)
async def delete_reference_count(request: Request, registry: Registry, ident: Ident) -> Response:
    expected = if_match(request)
    return await registry.write(
        request, lambda tx: commands.delete(tx, registry.outbox, ident, expected)
    )
