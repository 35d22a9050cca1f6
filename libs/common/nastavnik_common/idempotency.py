"""Requests that may be repeated: the first result is stored with the change itself."""

import hashlib
from typing import Any

from sqlalchemy import Column, DateTime, Integer, LargeBinary, MetaData, String, Table, func, select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.errors import ConflictError, DomainError

HEADER = "idempotency-key"
MAX_KEY = 200


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


def check_key(key: str) -> str:
    if not key or len(key) > MAX_KEY or not key.isprintable():
        raise DomainError(
            "idempotency.bad_key",
            f"Idempotency-Key must be 1 to {MAX_KEY} printable characters.",
            status=400,
        )
    return key


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
