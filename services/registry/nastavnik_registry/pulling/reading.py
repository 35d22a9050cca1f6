"""Pages of a provider whose records change while they are read, without gaps.

Offset paging skips a record when one before it goes away, or moves to the end because it changed.
So every page begins with the last record of the one before: when a page begins with a record not
seen yet, reading goes back by a page. What changed behind the reader is read in rounds of changes
until one brings nothing new; repeated records do no harm, the newest of each is kept.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec

from nastavnik_common import clock
from nastavnik_registry.pulling.config import PullSource
from nastavnik_registry.pulling.errors import PullError, RefusedError
from nastavnik_registry.pulling.provider import Page, Provider
from nastavnik_registry.pulling.spool import Spool, State

_ROUNDS = 4
_DATE_HEADER = timedelta(seconds=2)  # it has whole seconds, and may be made before the answer
Told = Callable[[str, int, int | None], Awaitable[None]]  # collection, done, total


class Reader:
    """`since`: read what has changed from then on; None: everything."""

    def __init__(
        self,
        source: PullSource,
        provider: Provider,
        spool: Spool,
        since: datetime | None,
        told: Told,
    ) -> None:
        self._source, self._provider, self._spool = source, provider, spool
        self._since, self._told = since, told

    async def read(self) -> None:
        """Raises PullError; what was read stays in the spool, and reading goes on from there."""
        names = self._source.collections
        while True:
            state = self._spool.state
            if state.collection < len(names):
                await self._collection(names[state.collection])
            elif state.round and (not state.changed or state.round >= _ROUNDS):
                return
            else:
                nxt = msgspec.structs.replace(
                    state, round=state.round + 1, collection=0, offset=0, changed=0
                )
                self._spool.save(nxt)

    async def _collection(self, name: str) -> None:
        before: list[str] = []
        index = self._spool.state.collection
        while self._spool.state.collection == index:
            page = await self._page(name)
            state = self._spool.state
            at = state.at or page.at
            ids = [row["sourcedId"] for row in page.rows]
            if state.offset and not (ids and self._spool.seen(name, ids[0])):
                back = max(0, state.offset - self._source.page)
                self._spool.save(msgspec.structs.replace(state, at=at, offset=back))
                before = []
                continue
            if len(ids) > 1 and ids == before:
                raise PullError("pull.offset_ignored")
            before = ids
            await asyncio.to_thread(
                self._spool.add, name, page.rows, self._since, _after(state, page, at)
            )
            await self._told(name, state.offset + len(ids), page.total)

    async def _page(self, name: str) -> Page:
        """Without sort, then without filter, when the provider does not understand them."""
        while True:
            state = self._spool.state
            try:
                return await self._provider.page(name, self._params(state))
            except RefusedError:
                if not (state.sorts or (state.filters and self._from(state.at) is not None)):
                    raise
                fewer = {"sorts": False} if state.sorts else {"filters": False}
                self._spool.save(msgspec.structs.replace(state, offset=0, **fewer))

    def _params(self, state: State) -> dict[str, str | int]:
        params: dict[str, str | int] = {"limit": self._source.page, "offset": state.offset}
        since = self._from(state.at)
        if since is not None and state.filters:
            text = since.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            params["filter"] = f"dateLastModified>='{text}'"
        if state.sorts:
            params["sort"] = "sourcedId" if since is None else "dateLastModified"
            params["orderBy"] = "asc"
        return params

    def _from(self, at: datetime | None) -> datetime | None:
        if self._spool.state.round:
            return (at or clock.now()) - _DATE_HEADER
        return self._since


def _after(state: State, page: Page, at: datetime) -> State:
    """Where to go on: at the last record of this page, or in the next collection."""
    got = len(page.rows)
    # without a total: a page that ends with the record it began with
    last = got <= 1 if page.total is None else state.offset + got >= page.total
    if last or not got:
        return msgspec.structs.replace(state, at=at, collection=state.collection + 1, offset=0)
    return msgspec.structs.replace(state, at=at, offset=state.offset + max(1, got - 1))
