"""Imports of OneRoster packages."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import HTMLResponse

from nastavnik_common.paging import Cursor, Limit, Page
from nastavnik_common.paths import register_segment
from nastavnik_common.writing import Action
from nastavnik_registry import bodies
from nastavnik_registry.api.service import REPEATABLE, Ident, Registry, Service
from nastavnik_registry.commands import imports as commands
from nastavnik_registry.imports.findings import Report
from nastavnik_registry.imports.page import language, page
from nastavnik_registry.queries import imports as queries

register_segment()
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


_PAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {"schema": {"type": "string"}}}}
}


@router.post(
    "",
    status_code=202,
    response_model=bodies.Import,
    responses={202: {"headers": {"Location": {"schema": {"type": "string"}}}}},
    dependencies=REPEATABLE,
    openapi_extra=_BODY,
)
async def create_import(
    request: Request,
    registry: Registry,
    source: Annotated[bodies.SourceName, Query()],
    under: Annotated[
        UUID | None, Query(description="Unit under which parentless units are placed")
    ] = None,
    dry_run: Annotated[bool, Query(description="Only plan: see the changes, then apply")] = False,
) -> Response:
    """Take a package in. It is checked and applied in the background, all of it or nothing, or
    without the records set aside where the source allows that."""
    return await registry.intake.accept(request, source, under, dry_run=dry_run)


@router.get("")
async def list_imports(
    registry: Registry,
    source: Annotated[bodies.SourceName | None, Query()] = None,
    status: bodies.ImportStatus | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[bodies.Import]:
    """The newest first."""
    async with registry.sessions() as tx:
        return await queries.many(tx, limit, cursor, source=source, status=status)


@router.get("/{ident:segment}")
async def get_import(registry: Registry, ident: Ident) -> bodies.Import:
    async with registry.sessions() as tx:
        return await queries.one(tx, ident)


@router.get("/{ident:segment}/report", response_class=Response, responses=_PAGE)
async def get_import_report(
    registry: Registry,
    ident: Ident,
    lang: Annotated[Literal["ru", "en"] | None, Query(description="Else Accept-Language")] = None,
    accept_language: Annotated[str, Header(max_length=200)] = "",
) -> HTMLResponse:
    """The report as a page for those who prepare the files. 404 while there is none."""
    async with registry.sessions() as tx:
        found = await queries.report(tx, ident)
    text = page(msgspec.convert(found, Report), language(lang, accept_language))
    return HTMLResponse(text, headers={"Vary": "Accept-Language"})


@router.get("/{ident:segment}/changes")
async def list_import_changes(
    registry: Registry,
    ident: Ident,
    kind: bodies.RecordKind | None = None,
    action: bodies.Action | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[bodies.ImportedChange]:
    """What the import changed, or would: each with the line that says so. Values are personal."""
    async with registry.sessions() as tx:
        return await queries.changes(tx, ident, limit, cursor, kind=kind, action=action)


@router.post(
    "/{ident:segment}:apply", status_code=202, response_model=bodies.Import, dependencies=REPEATABLE
)
async def apply_import(request: Request, registry: Registry, ident: Ident) -> Response:
    """Apply what a dry run has planned; 409 `import.stale` when the data has changed since."""
    return await _queued(request, registry, lambda tx: commands.apply(tx, ident))


@router.post(
    "/{ident:segment}:confirm",
    status_code=202,
    response_model=bodies.Import,
    dependencies=REPEATABLE,
)
async def confirm_import(request: Request, registry: Registry, ident: Ident) -> Response:
    """Apply what was held for the share it removes; 409 `import.stale` as above."""
    return await _queued(request, registry, lambda tx: commands.confirm(tx, ident))


@router.post("/{ident:segment}:discard", response_model=bodies.Import, dependencies=REPEATABLE)
async def discard_import(request: Request, registry: Registry, ident: Ident) -> Response:
    """Give up what was planned or held. The package is removed."""
    answer = await registry.write(request, lambda tx: commands.discard(tx, ident))
    await registry.jobs.discard(ident)
    return answer


@router.post(
    "/{ident:segment}:undo", status_code=202, response_model=bodies.Import, dependencies=REPEATABLE
)
async def undo_import(request: Request, registry: Registry, ident: Ident) -> Response:
    """Take back what an import changed, save what has changed since. The answer is the import
    that does so; its changes say what was `kept`."""
    return await _queued(request, registry, lambda tx: commands.undo(tx, ident))


async def _queued(request: Request, registry: Service, action: Action) -> Response:
    answer = await registry.write(request, action)
    registry.jobs.wake()
    return answer
