"""All sources: each pulled when it is due, beside the service."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlmodel import col

from nastavnik_common import clock, db, logs
from nastavnik_common.auth_scope import caller
from nastavnik_common.errors import ConflictError, NotFoundError
from nastavnik_registry.pulling.config import PullSource, load
from nastavnik_registry.pulling.puller import Puller, locked
from nastavnik_registry.settings import RegistrySettings
from nastavnik_registry.tables import PullRow

log = logs.logger(__name__)
_LOOK_SECONDS = 2.0


class Pull(BaseModel):
    """A source that is pulled from, and how far it is."""

    source: str
    phase: Literal["idle", "reading", "importing"]
    mode: Literal["full", "changes"]
    collection: str
    done: int
    total: int | None = Field(description="Of the collection being read, if the provider says so")
    imports: list[UUID] = Field(description="What the last pull handed over; see /imports")
    watermark: datetime | None = Field(description="What changed before, there, is imported here")
    error: str | None = Field(description="Code of why the last pull stopped")
    failures: int = Field(description="In a row")
    due_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    asked_by: str | None = Field(description="Opaque, who last said to pull at once")


class Pulls:
    """`wake` is called when an import has been queued. The file of sources is read here, once."""

    def __init__(
        self, settings: RegistrySettings, sessions: db.Sessions, wake: Callable[[], None]
    ) -> None:
        self._sessions = sessions
        self._asked = asyncio.Event()
        self.sources: dict[str, PullSource] = load(settings.pull_sources)
        self._pullers = {
            name: Puller(settings, sessions, wake, name, source)
            for name, source in self.sources.items()
        }

    async def run(self) -> None:
        """Pull until cancelled. What runs then is cut short, and goes on at the next start."""
        await asyncio.gather(*(self._keep(name) for name in self._pullers))
        await asyncio.Event().wait()

    async def _keep(self, name: str) -> None:
        while True:
            try:
                await self._pullers[name].turn()
            except Exception as error:
                log.warning("pull interrupted", source=name, error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), _LOOK_SECONDS)
            self._asked.clear()

    async def many(self) -> list[Pull]:
        async with self._sessions() as tx:
            query = select(PullRow).where(col(PullRow.source).in_(self.sources))
            rows = {row.source: row for row in (await tx.execute(query)).scalars()}
        return [_body(rows.get(name) or PullRow(source=name)) for name in sorted(self.sources)]

    async def one(self, name: str) -> Pull:
        if name not in self.sources:
            raise NotFoundError("pull", name)
        return next(pull for pull in await self.many() if pull.source == name)

    async def ask(self, name: str, full: bool) -> Pull:
        """Pull as soon as possible. A pull that is under way is not disturbed."""
        if name not in self.sources:
            raise NotFoundError("pull", name)
        async with self._sessions.begin() as tx:
            row = await locked(tx, name)
            if row.phase == "importing":
                raise ConflictError("pull.importing", "The imports of the last pull go on still.")
            row.due_at = clock.now()
            row.asked_by = caller()
            row.wanted = "full" if full else row.wanted
        self._asked.set()
        return await self.one(name)


def _body(row: PullRow) -> Pull:
    names = Pull.model_fields.keys() - {"mode"}
    found = {name: getattr(row, name) for name in names}
    return Pull.model_validate({**found, "mode": "changes" if row.since else "full"})
