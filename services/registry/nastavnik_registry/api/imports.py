"""Imports of OneRoster packages."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_registry import bodies
from nastavnik_registry.api.service import REPEATABLE, Ident, Registry
from nastavnik_registry.queries import imports as queries

router = APIRouter(prefix="/imports", tags=["imports"])

_BINARY = {"type": "string", "format": "binary"}
_FORM = {
    "type": "object",
    "properties": {"file": _BINARY},
    "required": ["file"],
    "additionalProperties": False,
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A OneRoster 1.2 CSV package, streamed to disk",
        "content": {
            "application/zip": {"schema": _BINARY},
            "multipart/form-data": {"schema": _FORM},
        },
    }
}


@router.post(
    "",
    status_code=202,
    response_model=bodies.Import,
    responses={202: {"headers": {"Location": {"schema": {"type": "string"}}}}},
    dependencies=REPEATABLE,
    openapi_extra=_BODY,
)
async def accept(
    request: Request,
    registry: Registry,
    source: Annotated[bodies.SourceName, Query()],
    under: Annotated[
        UUID | None, Query(description="Unit under which parentless units are placed")
    ] = None,
) -> Response:
    """Take a package in. It is checked and applied in the background, all of it or nothing."""
    return await registry.intake.accept(request, source, under)


@router.get("")
async def many(
    registry: Registry,
    source: Annotated[bodies.SourceName | None, Query()] = None,
    status: bodies.ImportStatus | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[bodies.Import]:
    """The newest first."""
    async with registry.sessions() as tx:
        return await queries.many(tx, limit, cursor, source=source, status=status)


@router.get("/{ident}")
async def one(registry: Registry, ident: Ident) -> bodies.Import:
    async with registry.sessions() as tx:
        return await queries.one(tx, ident)
