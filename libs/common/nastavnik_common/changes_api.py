"""The change feed over HTTP, for those who have no Kafka."""

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from nastavnik_common import changes, db
from nastavnik_common.events import BY_NAME, KINDS
from nastavnik_common.paging import Cursor, Limit

MAX_WAIT = 30
_PAUSE = 0.2


class CloudEvent(BaseModel):
    """An event in CloudEvents' structured JSON: the same attributes and data as on the topic."""

    specversion: Literal["1.0"]
    id: str = Field(description="aggregate id and version")
    source: str
    type: str = Field(description="nastavnik.<kind>.<verb>.v1")
    time: str = Field(description="RFC 3339, UTC")
    subject: str = Field(description="aggregate id")
    dataschema: str | None = Field(default=None, description="JSON Schema of `data`")
    sequence: str = Field(description="version of the aggregate; keep the highest seen")
    partitionkey: str
    correlationid: str | None = None
    traceparent: str | None = None
    datacontenttype: Literal["application/json"]
    data: dict[str, Any] | None = Field(description="the whole state; null: a tombstone")


class ChangesPage(BaseModel):
    items: list[CloudEvent]
    next_cursor: str = Field(description="where to go on, now or later; never null")
    more: bool = Field(description="whether there is more already")


def create_router(sessions: db.Sessions, service: str) -> APIRouter:
    """The feed of what the service publishes."""
    router = APIRouter(tags=["changes"])
    own = tuple(kind.name for kind in KINDS if kind.source == service)
    Kind = Literal[own]  # type: ignore[valid-type]  # noqa: N806 -- the names are data

    @router.get("/changes", response_model=ChangesPage)
    async def follow_changes(
        request: Request,
        kind: Annotated[list[Kind] | None, Query(description="Only these; absent: all")] = None,
        cursor: Cursor = None,
        limit: Limit = 100,
        wait: Annotated[
            float,
            Query(ge=0, le=MAX_WAIT, description="Seconds to wait for a change if there is none"),
        ] = 0,
    ) -> Response:
        """The newest state of every aggregate, those deleted included, in the order of changes.

        Without a cursor from the beginning. Keep `next_cursor` with what you have done, and ask
        with it again: every aggregate comes with its last state, none is skipped, however many
        change meanwhile; states in between may be. 410 `cursor.expired`: begin again without one.
        """
        topics = [BY_NAME[name].topic for name in kind or own]
        deadline = asyncio.get_running_loop().time() + wait
        while True:
            async with sessions() as tx:
                found = await changes.read(tx, topics, cursor, limit)
            if found.items or not await _may_wait(request, deadline):
                return Response(msgspec.json.encode(found._asdict()), media_type="application/json")
            cursor = found.next_cursor
            await asyncio.sleep(_PAUSE)

    return router


async def _may_wait(request: Request, deadline: float) -> bool:
    """Until the time is up, the client gone or the service asked to end."""
    ending = getattr(request.app.state, "ending", False)
    late = asyncio.get_running_loop().time() >= deadline
    return not (late or ending or await request.is_disconnected())
