"""Targets of indicators."""

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
from nastavnik_registry.commands import targets as commands
from nastavnik_registry.queries import targets as queries

router = APIRouter(prefix="/targets", tags=["targets"])


@router.post(
    "",
    status_code=201,
    response_model=bodies.Target,
    responses={**CREATED, 200: {**CREATED[200], "model": bodies.Target}},
    dependencies=REPEATABLE,
)
async def create_target(request: Request, registry: Registry, body: bodies.NewTarget) -> Response:
    """Set a target; 409 `target.exists` when the indicator, unit and year have one."""
    return await registry.write(request, lambda tx: commands.create(tx, registry.outbox, body))


@router.get("")
async def list_targets(
    registry: Registry,
    indicator: Annotated[bodies.IndicatorCode | None, Query()] = None,
    organization_id: UUID | None = None,
    school_year: Annotated[bodies.SchoolYearLabel | None, Query()] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[bodies.Target]:
    async with registry.sessions() as tx:
        return await queries.many(
            tx,
            limit,
            cursor,
            indicator=indicator,
            organization_id=organization_id,
            school_year=school_year,
        )


@router.get("/{ident}")
async def get_target(registry: Registry, ident: Ident, response: Response) -> bodies.Target:
    async with registry.sessions() as tx:
        found = await queries.one(tx, ident)
    tagged(response, found.version)
    return found


@router.patch("/{ident}", response_model=bodies.Target, dependencies=VERSIONED)
async def change_target(
    request: Request, registry: Registry, ident: Ident, body: bodies.TargetPatch
) -> Response:
    expected = if_match(request)
    return await registry.write(
        request, lambda tx: commands.change(tx, registry.outbox, ident, body, expected)
    )


@router.delete("/{ident}", response_model=bodies.Deleted, dependencies=VERSIONED)
async def delete_target(request: Request, registry: Registry, ident: Ident) -> Response:
    expected = if_match(request)
    return await registry.write(
        request, lambda tx: commands.delete(tx, registry.outbox, ident, expected)
    )
