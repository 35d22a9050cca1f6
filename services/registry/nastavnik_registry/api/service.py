"""What the routes work with, put into the application by the composition root."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Path, Query, Request, Response

from nastavnik_common import db, idempotency
from nastavnik_common.outbox import Outbox
from nastavnik_common.writing import Action, write
from nastavnik_registry import bodies, tables
from nastavnik_registry.imports.intake import Intake
from nastavnik_registry.imports.jobs import Jobs


@dataclass(frozen=True)
class Service:
    sessions: db.Sessions
    outbox: Outbox
    intake: Intake
    jobs: Jobs

    async def write(self, request: Request, action: Action) -> Response:
        return await write(request, self.sessions, tables.idempotency, action)


def _service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found


def _described(alias: str, pattern: str, description: str) -> Any:
    """A header that `writing` reads and judges itself, shown in the description as it is."""
    shape = {"type": "string", "pattern": pattern}
    return Header(alias=alias, description=description, json_schema_extra=shape)


_KEY = _described(
    "Idempotency-Key",
    f"^[!-~]{{1,{idempotency.MAX_KEY}}}$",
    "The same request again under the same key gets the first result back",
)
_VERSION = _described(
    "If-Match",
    r'^(\*|(W/)?"[0-9]{1,18}")$',
    'The version you have read, such as "3"; 412 when it is not current',
)


async def _idempotency_key(_: Annotated[str, _KEY] = "") -> None: ...


async def _if_match(_: Annotated[str, _VERSION] = "") -> None: ...


Registry = Annotated[Service, Depends(_service)]
REPEATABLE = [Depends(_idempotency_key)]
VERSIONED = [Depends(_idempotency_key), Depends(_if_match)]
Ident = Annotated[UUID, Path(description="Our own id")]
NamePart = Annotated[
    str | None,
    Query(min_length=1, max_length=255, pattern=bodies.NO_NUL, description="Any part of the name"),
]
ETAG = {"description": "The version, quoted", "schema": {"type": "string"}}
CREATED: dict[int | str, dict[str, Any]] = {
    200: {"description": "The same was there already", "headers": {"ETag": ETAG}},
    201: {"headers": {"ETag": ETAG, "Location": {"schema": {"type": "string"}}}},
}


def tagged(response: Response, version: int) -> None:
    response.headers["etag"] = f'"{version}"'
