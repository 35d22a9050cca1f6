"""The envelope of an event: CloudEvents 1.0 in the Kafka binary binding.

Headers carry the attributes, the value carries the aggregate's whole state as JSON, the key is
the aggregate's id. A null value is a tombstone: the record should never have existed. ``ce_id``
follows from id and version, so a state published again is the same event.
Source: CloudEvents 1.0.2, its Kafka protocol binding and the extensions *sequence* and
*partitioning*.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec

PREFIX = "nastavnik"
CONTENT_TYPE = "application/json"
MAX_VERSION = 2**31 - 1


class EnvelopeError(ValueError):
    """The headers do not make a CloudEvent of ours."""

    code = "event.bad_envelope"


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Attributes of one event. ``type`` is ``nastavnik.<kind>.<verb>.v1``."""

    id: str
    type: str
    source: str
    subject: UUID
    time: datetime
    version: int
    partition_key: str
    schema: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None

    @property
    def kind(self) -> str:
        return self.type.split(".")[1]

    def headers(self) -> list[tuple[str, bytes]]:
        pairs = {
            "ce_specversion": "1.0",
            "ce_id": self.id,
            "ce_source": self.source,
            "ce_type": self.type,
            "ce_time": self.time.astimezone(UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "ce_subject": str(self.subject),
            "ce_dataschema": self.schema,
            "ce_sequence": str(self.version),
            "ce_partitionkey": self.partition_key,
            "ce_correlationid": self.correlation_id,
            "ce_traceparent": self.traceparent,
            "content-type": CONTENT_TYPE,
        }
        return [(name, value.encode()) for name, value in pairs.items() if value is not None]


def parse(headers: Iterable[tuple[str, bytes | None]]) -> Envelope:
    """Headers of a record → envelope; EnvelopeError says what is wrong."""
    try:
        given = {name: value.decode() for name, value in headers if value is not None}
    except UnicodeDecodeError as error:
        raise EnvelopeError("a header is not UTF-8") from error
    return _envelope(given)


def _envelope(given: Mapping[str, str]) -> Envelope:
    try:
        if given["ce_specversion"] != "1.0":
            raise EnvelopeError("ce_specversion is not 1.0")
        version = int(given["ce_sequence"])
        if not 1 <= version <= MAX_VERSION:
            raise EnvelopeError(f"ce_sequence is not a number from 1 to {MAX_VERSION}")
        if given["ce_type"].count(".") != 3:
            raise EnvelopeError("ce_type is not nastavnik.<kind>.<verb>.v1")
        return Envelope(
            id=given["ce_id"],
            type=given["ce_type"],
            source=given["ce_source"],
            subject=UUID(given["ce_subject"]),
            time=datetime.fromisoformat(given["ce_time"]),
            version=version,
            partition_key=given.get("ce_partitionkey", given["ce_subject"]),
            schema=given.get("ce_dataschema"),
            correlation_id=given.get("ce_correlationid"),
            traceparent=given.get("ce_traceparent"),
        )
    except KeyError as error:
        raise EnvelopeError(f"header {error.args[0]} is missing") from error
    except EnvelopeError:
        raise
    except ValueError as error:
        # what the standard library says would quote the header, which could hold anything
        raise EnvelopeError("a header has a malformed value") from error
