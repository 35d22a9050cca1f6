"""The database: engine, and transactions that are visible where they begin and end.

    async with sessions.begin() as tx:
        ...                      # committed when the block ends, rolled back when it raises

Commit before the response is sent. A FastAPI dependency that commits after ``yield`` would
answer first and commit later.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import event, exc, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from nastavnik_common.settings import Settings

Sessions = async_sessionmaker[AsyncSession]
_HEARTBEAT = 10.0
_PING_SECONDS = 2.0
# A client that vanishes without a word: the server ends its session, and frees what it has locked,
# within a minute; by itself TCP would wait for two hours.
_KEEPALIVE = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


# COPY, and connecting, raise asyncpg's own
ERRORS = (
    exc.DBAPIError,
    exc.TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a connection that has just been ended by the server
    OSError,
)
_AWAY = ("08", "53", "57P")  # SQLSTATE: no connection, nothing left to give, ending or starting


def is_away(error: BaseException | None) -> bool:
    """Whether one of `ERRORS` means that the database does not answer now."""
    if isinstance(error, exc.DBAPIError):
        return error.connection_invalidated or is_away(error.orig and error.orig.__cause__)
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate).startswith(_AWAY)
    # some of asyncpg's interface errors are about a value
    return error is not None and not isinstance(error, ValueError)


def create_engine(settings: Settings) -> AsyncEngine:
    engine = create_async_engine(
        settings.database_url,
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_size,
        hide_parameters=True,  # errors are logged, and parameters may be personal
        connect_args={"timeout": 10, **_patience(settings.database_timeout_seconds)},
    )
    _ping_first(engine, min(settings.database_timeout_seconds, _PING_SECONDS))
    return engine


def _ping_first(engine: AsyncEngine, seconds: float) -> None:
    """Ask a pooled connection before it is used. One that does not answer takes all of the pool
    with it: the others are as dead, and each would keep a request waiting until it is found out.
    SQLAlchemy's own `pool_pre_ping` gives up only the one, and waits as long as for a statement."""

    @event.listens_for(engine.sync_engine, "checkout")
    def ping(connection: Any, record: Any, proxy: Any) -> None:
        if not record.info.get("pooled"):  # made just now
            record.info["pooled"] = True
            return
        try:
            connection.run_async(lambda raw: raw.execute("select 1", timeout=seconds))
        except ERRORS as error:
            raise exc.InvalidatePoolError("a pooled connection does not answer") from error


def create_sessions(engine: AsyncEngine) -> Sessions:
    return async_sessionmaker(engine, expire_on_commit=False)


async def ping(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("select 1"))


def _patience(seconds: float | None) -> dict[str, Any]:
    """A half-open connection answers nobody and tells nobody: without a limit its client waits for
    ever, and the server keeps the locks of a transaction whose client is gone."""
    told = {"application_name": "nastavnik", **_KEEPALIVE}
    if seconds is not None:
        told["idle_in_transaction_session_timeout"] = str(round(seconds * 1000))
    return {"command_timeout": seconds, "server_settings": told}


async def connect(database_url: str, statement_seconds: float | None = None) -> Any:
    """A bare asyncpg connection, for LISTEN and COPY. A statement may last `statement_seconds`;
    None is for those who give each statement a limit of its own."""
    url = make_url(database_url)
    return await asyncpg.connect(
        host=url.query.get("host") or url.host,
        port=url.port,
        user=url.username,
        password=url.password,
        database=url.database,
        timeout=10,
        **_patience(statement_seconds),
    )


async def listen(database_url: str, channel: str, heard: Callable[[str], None]) -> None:
    """Call `heard` with the payload of every NOTIFY, until the connection is lost; one that is
    lost without a word is noticed within `_HEARTBEAT` seconds and a few."""
    connection = await connect(database_url)
    closed = asyncio.Event()
    connection.add_termination_listener(lambda _: closed.set())
    try:
        await connection.add_listener(channel, lambda _c, _p, _ch, payload: heard(payload))
        while not closed.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(closed.wait(), _HEARTBEAT)
                return
            await connection.fetchval("select 1", timeout=_HEARTBEAT)
    finally:
        await connection.close(timeout=2)


async def driver(tx: AsyncSession) -> Any:
    """The asyncpg connection under a session's transaction, for COPY and set-based writes."""
    # the transaction begins with the first statement that goes through SQLAlchemy
    await tx.execute(text("select 1"))
    connection = await tx.connection()
    raw = await connection.get_raw_connection()
    return raw.driver_connection


def migrate(settings: Settings, package: str, revision: str = "head") -> None:
    """Bring the database to the revision, with the migrations shipped in the package."""
    config = Config()
    config.set_main_option("script_location", f"{package}:migrations")
    config.set_main_option("sqlalchemy.url", settings.database_url.replace("%", "%%"))
    command.upgrade(config, revision)


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows → one list per column, as ``unnest`` wants them."""
    return (
        [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
    )
