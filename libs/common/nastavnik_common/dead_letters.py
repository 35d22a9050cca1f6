"""Dead letters: records that cannot be read are put aside, with origin and error, never dropped.

Parked in the transaction that moves the offsets on, and published to ``<topic>.dlq`` through the
outbox. The table is what is inspected and replayed from; the topic is for other tools.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    insert,
)
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import events
from nastavnik_common.events.reading import Record
from nastavnik_common.outbox import encode_headers


def dead_letter_table(metadata: MetaData) -> Table:
    return Table(
        "dead_letter",
        metadata,
        Column("id", BigInteger, primary_key=True, autoincrement=True),
        Column("topic", String, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("key", LargeBinary, nullable=True),
        Column("headers", LargeBinary, nullable=False),
        Column("value", LargeBinary, nullable=True),
        Column("code", String, nullable=False),
        Column("error", String, nullable=False),
        Column("parked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("resolved_at", DateTime(timezone=True), nullable=True),
    )


def letter(record: Record, code: str, error: str) -> dict[str, Any]:
    """The row that keeps the record as it came. `error` must not quote it: it could hold
    anything."""
    headers = encode_headers(
        (name, (value or b"").decode("utf-8", "backslashreplace").encode())
        for name, value in record.headers
    )
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key,
        "headers": headers,
        "value": record.value,
        "code": code,
        "error": error,
    }


def notice(record: Record, code: str) -> dict[str, Any]:
    """The outbox row that publishes the record on the dead letter topic, with its origin."""
    origin = f"{record.topic}/{record.partition}/{record.offset}"
    told = [("nastavnik_origin", origin.encode()), ("nastavnik_error", code.encode())]
    return {
        "topic": events.BY_TOPIC[record.topic].dead_letter_topic,
        "key": (record.key or b"").decode("utf-8", "backslashreplace").replace("\0", ""),
        "partition_key": origin,
        "headers": encode_headers(told),
        "value": record.value,
    }


async def park(
    tx: AsyncSession, table: Table, outbox: Table, record: Record, code: str, error: str
) -> None:
    """Put one record aside, in the transaction that moves on past it."""
    await tx.execute(insert(table).values(**letter(record, code, error)))
    await tx.execute(insert(outbox).values(**notice(record, code)))
