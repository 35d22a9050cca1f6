"""What was received → a change. Knows no Kafka client: pass the parts of its message."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from nastavnik_common.events import BY_NAME, BY_TOPIC, Kind
from nastavnik_common.events import reading as contract
from nastavnik_common.events.base import State
from nastavnik_common.events.envelope import Envelope
from nastavnik_common.events.reading import UnreadableError

Text = bytes | str | None
Headers = Iterable[tuple[str, Text]] | Mapping[str, Text]


class Change(NamedTuple):
    """One aggregate became what `state` says; None: it should never have existed."""

    kind: Kind[Any]
    envelope: Envelope
    state: State | None

    @property
    def id(self) -> UUID:
        return self.envelope.subject

    @property
    def version(self) -> int:
        return self.envelope.version

    @property
    def deleted(self) -> bool:
        return self.state is None


class _Record(NamedTuple):
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Iterable[tuple[str, Any]]
    partition: int = 0
    offset: int = 0


def from_record(
    topic: str | None, key: Text, value: Text, headers: Headers | None
) -> Change | None:
    """A Kafka record in the binary binding. None: a topic or event type newer than this package.

    UnreadableError: it is not what the contract says, and trying again will not help; `code` says
    in what way. Put it aside and go on.
    """
    kind = BY_TOPIC.get(topic or "")
    if kind is None:
        return None
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    raw = [(name, _bytes(text)) for name, text in pairs]
    record = _Record(kind.topic, _bytes(key), _bytes(value), raw)
    found = contract.read(record)
    return None if found is None else Change(kind, found.envelope, found.state)


def from_cloudevent(event: bytes | str | Mapping[str, Any]) -> Change | None:
    """A CloudEvent in structured JSON, as in the change feed. Otherwise as `from_record`."""
    document = event if isinstance(event, Mapping) else msgspec.json.decode(event)
    kind = BY_NAME.get(_kind_name(document))
    if kind is None:
        return None
    data = document.get("data")
    headers = [
        (f"ce_{name}", str(text))
        for name, text in document.items()
        if name != "data" and text is not None
    ]
    value = None if data is None else msgspec.json.encode(data)
    return from_record(kind.topic, document.get("subject"), value, headers)


def _kind_name(document: Mapping[str, Any]) -> str:
    parts = str(document.get("type", "")).split(".")
    if len(parts) != 4:
        raise UnreadableError("event.bad_envelope", "type is not nastavnik.<kind>.<verb>.v1")
    return parts[1]


def _bytes(text: Text) -> bytes | None:
    return text.encode() if isinstance(text, str) else text
