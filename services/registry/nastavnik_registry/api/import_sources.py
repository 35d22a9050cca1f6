"""The systems that imports come from, and what was set aside of what they sent."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_common.writing import if_match
from nastavnik_registry import bodies
from nastavnik_registry.api.service import CREATED, VERSIONED, Registry, tagged
from nastavnik_registry.commands import imports as commands
from nastavnik_registry.queries import imports, sources

router = APIRouter(tags=["imports"])

Code = Annotated[bodies.SourceName, Path()]


@router.put(
    "/import-sources/{code}",
    response_model=bodies.ImportSource,
    responses={**CREATED, 200: {**CREATED[200], "model": bodies.ImportSource}},
    dependencies=VERSIONED,
)
async def put_import_source(
    request: Request, registry: Registry, code: Code, body: bodies.NewImportSource
) -> Response:
    """Describe a source: its codes, how much a bulk may remove, what a vanished record means."""
    expected = if_match(request)
    return await registry.write(request, lambda tx: commands.put_source(tx, code, body, expected))


@router.get("/import-sources")
async def list_import_sources(
    registry: Registry, limit: Limit = 100, cursor: Cursor = None
) -> Page[bodies.ImportSource]:
    async with registry.sessions() as tx:
        return await sources.many(tx, limit, cursor)


@router.get("/import-sources/{code}")
async def get_import_source(
    registry: Registry, code: Code, response: Response
) -> bodies.ImportSource:
    async with registry.sessions() as tx:
        found = await sources.one(tx, code)
    tagged(response, found.version)
    return found


@router.get("/import-quarantine")
async def list_quarantine(
    registry: Registry,
    source: Annotated[bodies.SourceName | None, Query()] = None,
    import_id: UUID | None = None,
    released: Annotated[bool | None, Query(description="false: those still waiting")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[bodies.Quarantined]:
    """Records set aside, with their faults: an import that brings them well releases them."""
    async with registry.sessions() as tx:
        return await imports.quarantine(
            tx, limit, cursor, source=source, import_id=import_id, released=released
        )


@router.get("/participants/{ident}/changes")
async def list_participant_changes(registry: Registry, ident: UUID) -> bodies.ImportHistory:
    """Which import, file and line made which version of a person; the newest first."""
    async with registry.sessions() as tx:
        found = await imports.history(tx, "participant", ident)
    return bodies.ImportHistory(items=found)


@router.get("/organizations/{ident}/changes")
async def list_organization_changes(registry: Registry, ident: UUID) -> bodies.ImportHistory:
    async with registry.sessions() as tx:
        found = await imports.history(tx, "organization", ident)
    return bodies.ImportHistory(items=found)
