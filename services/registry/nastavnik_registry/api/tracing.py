"""ASGI middleware: no answer with personal data leaves before the trace has who read it."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nastavnik_common import db, logs
from nastavnik_registry.aggregates import chain, trace
from nastavnik_registry.aggregates.trace import Note

log = logs.logger(__name__)
SEAL_SECONDS = 1.0


class Traced:
    """An entry for all people of an answer. An error tells of nobody."""

    def __init__(self, app: ASGIApp, sessions: db.Sessions) -> None:
        self.app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with trace.asking(scope) as asked:

            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start" and message["status"] < 400:
                    await self._write(trace.reads(asked))
                await send(message)

            await self.app(scope, receive, answer)

    async def _write(self, notes: Sequence[Note]) -> None:
        if notes:
            async with self._sessions.begin() as tx:
                await trace.write(tx, notes)


async def sealing(sessions: db.Sessions) -> None:
    """Chain new entries every second, until cancelled. The head goes into the log, so that a
    chain that was cut off shows against it."""
    last = 0
    while True:
        try:
            async with sessions.begin() as tx:
                head = await _seal(tx)
            if head.seq > last:
                log.info("personal trace chained", seq=head.seq, hash=head.hash.hex())
                last = head.seq
        except Exception as error:
            log.warning("personal trace not chained", error=type(error).__name__)
        await asyncio.sleep(SEAL_SECONDS)


async def _seal(tx: AsyncSession) -> chain.Head:
    return await chain.seal(tx)
