"""Requests that may be repeated: the first result is stored with the change itself."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

from sqlalchemy import Column, DateTime, Integer, LargeBinary, MetaData, String, Table, func, select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import auth_scope, clock, db, logs
from nastavnik_common.errors import ConflictError, DomainError

log = logs.logger(__name__)
HEADER = "idempotency-key"
MAX_KEY = 200
PRUNE_EVERY_SECONDS = 3600
PRUNE_CHUNK = 1000


def idempotency_table(metadata: MetaData) -> Table:
    return Table(
        "idempotency",
        metadata,
        Column("key", String, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("status", Integer, nullable=False),
        Column("headers", String, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )


def fingerprint(method: str, place: str, body: bytes) -> bytes:
    """What tells requests apart. `place` is the path and the query."""
    return hashlib.sha256(b"\0".join((method.encode(), place.encode(), body))).digest()


def own_key(key: str) -> str:
    """The caller's key, as it is stored: callers do not know each other's keys, and none is given
    what another one did."""
    if not key or len(key) > MAX_KEY or not key.isprintable():
        raise DomainError(
            "idempotency.bad_key",
            f"Idempotency-Key must be 1 to {MAX_KEY} printable characters.",
            status=400,
        )
    by = auth_scope.caller()
    return key if by is None else hashlib.sha256(f"{by}\0{key}".encode()).hexdigest()


async def recall(tx: AsyncSession, table: Table, key: str, mark: bytes) -> Any | None:
    """The stored first result, or None. Waits for a twin request that is still running.

    Raises ConflictError when the key was used for another request.
    """
    await tx.execute(sql("select pg_advisory_xact_lock(hashtextextended(:key, 7))"), {"key": key})
    row = (await tx.execute(select(table).where(table.c.key == key))).one_or_none()
    if row is not None and row.fingerprint != mark:
        raise ConflictError(
            "idempotency.key_reused", "This Idempotency-Key was used for another request."
        )
    return row


async def remember(
    tx: AsyncSession, table: Table, key: str, mark: bytes, status: int, headers: str, body: bytes
) -> None:
    await tx.execute(
        table.insert().values(key=key, fingerprint=mark, status=status, headers=headers, body=body)
    )


async def prune(
    sessions: db.Sessions, table: Table, older_than: timedelta, chunk: int = PRUNE_CHUNK
) -> int:
    """Forget results stored longer ago than that, `chunk` rows a transaction, so that no request
    waits for it. Returns how many are gone. Several replicas may prune at once."""
    limit = clock.now() - older_than
    # no index by age: it would cost every write, and this looks through the table once an hour
    old = (
        select(table.c.key)
        .where(table.c.created_at < limit)
        .limit(chunk)
        .with_for_update(skip_locked=True)
    )
    gone = 0
    while True:
        async with sessions.begin() as tx:
            keys = (await tx.execute(old)).scalars().all()
            await tx.execute(table.delete().where(table.c.key.in_(keys)))
        gone += len(keys)
        if len(keys) < chunk:
            return gone
        await asyncio.sleep(0.01)


async def pruning(sessions: db.Sessions, table: Table, days: int) -> None:
    """Prune when started and every hour, until cancelled."""
    while True:
        try:
            if gone := await prune(sessions, table, timedelta(days=days)):
                log.info("stored answers pruned", rows=gone)
        except Exception as error:
            log.warning("pruning of stored answers failed", error=f"{type(error).__name__}")
        await asyncio.sleep(PRUNE_EVERY_SECONDS)
