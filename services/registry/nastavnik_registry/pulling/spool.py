"""What a pull has read so far: a SQLite file, one transaction a page, so that a crash loses at
most the page it was at. It holds names, lies with the packages, and is removed with the pull."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

_TABLES = """
    create table if not exists row (
        collection text, id text, modified real, wanted integer, seen integer, body blob,
        primary key (collection, id)
    ) without rowid;
    create table if not exists state (run text, value blob);
"""
_ADD = """
    insert into row values (?, ?, ?, ?, ?, ?)
    on conflict (collection, id) do update set seen = excluded.seen,
        body = iif(excluded.modified >= modified, excluded.body, body),
        wanted = iif(excluded.modified >= modified, excluded.wanted, wanted),
        modified = max(modified, excluded.modified)
"""
Row = dict[str, Any]


class State(msgspec.Struct):
    """How far a pull is. `at`: the provider's time when it began. `changed`: rows that this round
    found new or other than those before it."""

    at: datetime | None = None
    round: int = 0
    collection: int = 0
    offset: int = 0
    changed: int = 0
    sorts: bool = True
    filters: bool = True


class Spool:
    """`run` names the pull: what another one has left is thrown away. Whoever works on it in a
    thread holds `busy`: a pull may be cancelled, and the spool closed, meanwhile."""

    def __init__(self, path: Path, run: UUID) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path, self._run = path, str(run)
        self.busy = threading.RLock()
        self._file = self._open()
        if self._file.execute("select run from state").fetchone() != (self._run,):
            self.remove()
            self._file = self._open()
            blank = msgspec.json.encode(State())
            self._file.execute("insert into state values (?, ?)", (self._run, blank))
            self._file.commit()
        (value,) = self._file.execute("select value from state").fetchone()
        self.state = msgspec.json.decode(value, type=State)

    def _open(self) -> sqlite3.Connection:
        try:
            file = sqlite3.connect(self._path, check_same_thread=False)
            file.executescript(_TABLES)
        except sqlite3.DatabaseError:
            self._path.unlink()
            file = sqlite3.connect(self._path, check_same_thread=False)
            file.executescript(_TABLES)
        return file

    def add(
        self, collection: str, rows: Sequence[Row], since: datetime | None, state: State
    ) -> None:
        """Keep the newest of each row, and `state` with them. Rows unchanged since `since` are
        known to have been seen and no more."""
        bodies = [(row["sourcedId"], modified(row), msgspec.json.encode(row)) for row in rows]
        with self.busy, self._file:
            for ident, at, body in bodies:
                wanted = since is None or at is None or at >= since
                values = (collection, ident, at.timestamp() if at else 0.0, wanted, state.round)
                if wanted and self._differs(collection, ident, body):
                    state.changed += 1
                self._file.execute(_ADD, (*values, body))
            self._save(state)
        self.state = state

    def save(self, state: State) -> None:
        with self._file:
            self._save(state)
        self.state = state

    def _save(self, state: State) -> None:
        self._file.execute("update state set value = ?", (msgspec.json.encode(state),))

    def _differs(self, collection: str, ident: str, body: bytes) -> bool:
        query = "select body from row where collection = ? and id = ?"
        return bool(self._file.execute(query, (collection, ident)).fetchone() != (body,))

    def seen(self, collection: str, ident: str) -> bool:
        """Whether this round has seen the row."""
        query = "select 1 from row where collection = ? and id = ? and seen = ?"
        return (
            self._file.execute(query, (collection, ident, self.state.round)).fetchone() is not None
        )

    def rows(self, collection: str) -> Iterator[Row]:
        """The wanted rows, by id."""
        query = "select body from row where collection = ? and wanted order by id"
        for (body,) in self._file.execute(query, (collection,)):
            yield msgspec.json.decode(body)

    def close(self) -> None:
        with self.busy:
            self._file.close()

    def remove(self) -> None:
        self.close()
        for suffix in ("", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self._path}{suffix}").unlink()


def modified(row: Row) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(row.get("dateLastModified")))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
