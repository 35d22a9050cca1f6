"""The live stream: announced values as server-sent events, without a gap after a reconnect."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from nastavnik_common import clock, db, logs
from nastavnik_common.auth_scope import reach
from nastavnik_common.db import Sessions
from nastavnik_common.events.metrics import IndicatorValueState
from nastavnik_metrics import queries
from nastavnik_metrics.announce import VALUES_CHANNEL
from nastavnik_metrics.views import value_view

log = logs.logger(__name__)
HEARTBEAT_SECONDS = 15


class Hub:
    """Wakes every open stream when values were announced, by whichever replica."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._condition = asyncio.Condition()

    async def run(self) -> None:
        while True:
            try:
                await db.listen(self._database_url, VALUES_CHANNEL, lambda _: self._notify())
            except Exception as error:
                log.debug("no wake-ups for now", error=str(error))
            await asyncio.sleep(1)

    def _notify(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._wake_all())

    async def _wake_all(self) -> None:
        async with self._condition:
            self._condition.notify_all()

    async def wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds), self._condition:
                await self._condition.wait()
        except TimeoutError:
            return


def create_router(sessions: Sessions, hub: Hub) -> APIRouter:
    router = APIRouter()

    @router.get(
        "/stream",
        tags=["indicators"],
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def stream(
        request: Request,
        unit: Annotated[UUID | None, Query(description="only this unit")] = None,
        indicator: Annotated[str | None, Query(max_length=100)] = None,
        last_event_id: Annotated[int | None, Header(ge=0, le=2**62)] = None,
    ) -> StreamingResponse:
        """Values as they change. `Last-Event-ID` goes on where a stream broke off; it ends when the
        token expires."""
        async with sessions() as tx:
            after = await queries.last_change(tx) if last_event_id is None else last_event_id

        may = reach()

        def wanted(value: IndicatorValueState) -> bool:
            told = may.covers(value.organization_id)
            asked = unit in (None, value.organization_id) and indicator in (None, value.indicator)
            return told and asked

        def ending() -> bool:
            over = may.by is not None and clock.now().timestamp() > may.by.expires
            return over or getattr(request.app.state, "ending", False)

        messages = events(sessions, hub, after, wanted, ending)
        return StreamingResponse(
            messages, media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    return router


async def events(
    sessions: Sessions,
    hub: Hub,
    after: int,
    wanted: Callable[[IndicatorValueState], bool],
    ending: Callable[[], bool] = lambda: False,
) -> AsyncIterator[str]:
    quiet = 0.0
    yield f"retry: 2000\nid: {after}\n\n"
    while not ending():
        async with sessions() as tx:
            found = await queries.changes(tx, after)
            names = await queries.names(tx, {value.organization_id for _, value in found})
        for seq, value in found:
            after = seq
            if wanted(value):
                body = value_view(value, names.get(value.organization_id, "")).model_dump_json()
                yield f"id: {seq}\nevent: value\ndata: {body}\n\n"
                quiet = 0.0
        if not found:
            await hub.wait(1)
            quiet += 1
            if quiet >= HEARTBEAT_SECONDS:
                yield ": still here\n\n"
                quiet = 0.0
