"""Dead letters: records that cannot be read are put aside, with origin and error, never dropped.

Parked in the transaction that moves the offsets on, and published to ``<topic>.dlq`` through the
outbox. The table is what is inspected and replayed from; the topic is for other tools. A letter is
open until it is resolved (applied after all) or discarded. The record stays as it came: what an
operator corrects is a copy beside it, and every action leaves a row in the trail.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    insert,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import events
from nastavnik_common.events.reading import Record
from nastavnik_common.outbox import encode_headers

Headers = tuple[tuple[str, Any], ...]
"""Values are bytes, or None where the header had none."""


class StoredRecord(NamedTuple):
    """A parked record, or the corrected copy of one; reads as a Kafka client's record does."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True)
class Tables:
    letter: Table
    copy: Table
    action: Table

    @classmethod
    def beside(cls, letter: Table) -> "Tables":
        """The three of a service, from what `dead_letter_table` gave it."""
        known = letter.metadata.tables
        return cls(letter, known["dead_letter_copy"], known["dead_letter_action"])


def dead_letter_table(metadata: MetaData) -> Table:
    """The letters; their copies and their trail are added to the metadata too."""
    letter = Table(
        "dead_letter",
        metadata,
        _ident(),
        Column("topic", String, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("key", LargeBinary, nullable=True),
        Column("headers", LargeBinary, nullable=False),
        Column("value", LargeBinary, nullable=True),
        Column("code", String, nullable=False),
        Column("error", String, nullable=False),
        _moment("parked_at"),
        Column("resolved_at", DateTime(timezone=True), nullable=True),
        Column("discarded_at", DateTime(timezone=True), nullable=True),
    )
    still_open = text("resolved_at is null and discarded_at is null")
    Index("dead_letter_open", letter.c.topic, letter.c.id, postgresql_where=still_open)
    Table(
        "dead_letter_copy",
        metadata,
        _ident(),
        Column("letter_id", ForeignKey("dead_letter.id"), nullable=False, index=True),
        Column("key", LargeBinary, nullable=True),
        Column("headers", LargeBinary, nullable=False),
        Column("value", LargeBinary, nullable=True),
        _moment("made_at"),
    )
    Table(
        "dead_letter_action",
        metadata,
        _ident(),
        # null: about the consumer, not about a letter
        Column("letter_id", ForeignKey("dead_letter.id"), nullable=True, index=True),
        _moment("at"),
        Column("by", String, nullable=True),
        Column("action", String, nullable=False),
        Column("result", String, nullable=False),
        Column("detail", String, nullable=True),
    )
    return letter


def _ident() -> Column[int]:
    return Column("id", BigInteger, primary_key=True, autoincrement=True)


def _moment(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


class _Binary(msgspec.Struct, frozen=True):
    """A header that is not UTF-8, exactly as it came."""

    base64: str


_HEADERS = msgspec.json.Decoder(list[tuple[str, str | _Binary | None]])


def keep_headers(headers: Iterable[tuple[str, bytes | None]]) -> bytes:
    """Names and values as JSON; what is not text is kept exactly too."""
    return msgspec.json.encode([(name, _kept(value)) for name, value in headers])


def _kept(value: bytes | None) -> str | _Binary | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return _Binary(base64.b64encode(value or b"").decode())


def kept_headers(stored: bytes) -> Headers:
    return tuple((name, _came(value)) for name, value in _HEADERS.decode(stored))


def _came(value: str | _Binary | None) -> bytes | None:
    if isinstance(value, _Binary):
        return base64.b64decode(value.base64)
    return None if value is None else value.encode()


def letter(record: Record, code: str, error: str) -> dict[str, Any]:
    """The row that keeps the record as it came. `error` must not quote it: it could hold
    anything."""
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key,
        "headers": keep_headers(record.headers),
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
