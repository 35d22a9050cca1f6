"""Reading a record: the state it carries, or why it can never be read.

Whatever is said of an unreadable record quotes nothing from it: it could hold anything.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple, Protocol

import msgspec

from nastavnik_common.events import BY_TOPIC, DELETED
from nastavnik_common.events.base import State
from nastavnik_common.events.envelope import Envelope, EnvelopeError, parse

_PLACE = re.compile(r" - at `(\$[^`]*)`$")
_QUOTING = {
    "Invalid enum value": "not one of the allowed values",
    "Object contains unknown field": "a field that is not in the description",
}


class Record(Protocol):
    """What a Kafka client hands over."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Iterable[tuple[str, bytes]]: ...


class UnreadableError(ValueError):
    """The record is poison: trying again will not help."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Reading(NamedTuple):
    """An envelope and the state; None for a tombstone."""

    envelope: Envelope
    state: Any


def read(record: Record) -> Reading | None:
    """One record of a topic of ours; None for an event type this version does not know."""
    kind = BY_TOPIC[record.topic]
    try:
        envelope = parse(record.headers)
    except EnvelopeError as error:
        raise UnreadableError(error.code, str(error)) from error
    if envelope.type not in _types(record.topic):
        return None
    if record.key != str(envelope.subject).encode():
        raise UnreadableError("event.key_mismatch", "the key is not ce_subject")
    if record.value is None:
        return Reading(envelope, None)
    if envelope.type == kind.type(DELETED):
        raise UnreadableError("event.tombstone_with_value", "a deletion carries no value")
    return Reading(envelope, _state(record.topic, record.value, envelope))


def _state(topic: str, value: bytes, envelope: Envelope) -> State:
    try:
        state: State = _decoder(topic).decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError("event.bad_value", explain(error)) from error
    if state.id != envelope.subject or state.version != envelope.version:
        raise UnreadableError("event.identity_mismatch", "id or version differ from the headers")
    if b"\\u0000" in value:
        raise UnreadableError("event.nul_character", "a string holds the NUL character")
    return state


@cache
def _decoder(topic: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(BY_TOPIC[topic].state)


@cache
def _types(topic: str) -> frozenset[str]:
    kind = BY_TOPIC[topic]
    return frozenset(map(kind.type, kind.verbs))


def explain(error: Exception) -> str:
    """What is wrong with a JSON document, and where, without quoting it; e.g.
    ``Expected `int`, got `str` at $.duration_minutes``."""
    if not isinstance(error, msgspec.ValidationError):
        return "not a JSON object"
    text = str(error)
    match = _PLACE.search(text)
    place = f" at {match[1]}" if match else ""
    reason = text[: match.start()] if match else text
    for start, safe in _QUOTING.items():
        if reason.startswith(start):
            reason = safe
    return reason + place
