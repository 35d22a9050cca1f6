"""What a process keeps an eye on: how many letters are open, and whether it may go on."""

import asyncio
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Gauge

from nastavnik_common import db, logs
from nastavnik_common import dead_letters_queries as queries
from nastavnik_common.dead_letters import Tables

log = logs.logger(__name__)


class Watch:
    """Looks every two seconds. `resume` is called when somebody asked for it since the last look,
    through whichever replica."""

    def __init__(
        self,
        registry: CollectorRegistry,
        sessions: db.Sessions,
        tables: Tables,
        topics: Iterable[str],
        resume: Callable[[], None] = lambda: None,
        *,
        seconds: float = 2.0,
    ) -> None:
        self._sessions = sessions
        self._tables = tables
        self._topics = tuple(topics)
        self._resume = resume
        self._seconds = seconds
        self._seen: int | None = None
        self._open = Gauge(
            "nastavnik_dead_letters_open",
            "Records put aside that are neither resolved nor discarded, of the whole service",
            ["topic"],
            registry=registry,
        )

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except db.ERRORS as error:
                log.debug("dead letters not counted", error=type(error).__name__)
            await asyncio.sleep(self._seconds)

    async def look(self) -> None:
        async with self._sessions() as tx:
            counts = await queries.open_by_topic(tx, self._tables)
            newest = await queries.last_resume(tx, self._tables)
        for topic in {*self._topics, *counts}:
            self._open.labels(topic).set(counts.get(topic, 0))
        if self._seen is not None and newest > self._seen:
            log.warning("going on after a surge of dead letters", action=newest)
            self._resume()
        self._seen = newest
