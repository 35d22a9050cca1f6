"""JSON Schemas and the AsyncAPI 3 document, generated from the kinds of the event contract."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from nastavnik_common.events import DELETED, KINDS, Kind
from nastavnik_common.events.base import State

SERVICES = {
    "registry": "People, organisations, programmes and targets",
    "activity": "Mentorships and sessions",
    "metrics": "Indicators of coverage and effectiveness",
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ATTRIBUTES = {
    "ce_specversion": "CloudEvents version, 1.0",
    "ce_id": "Aggregate id and version: the same state published again is the same event",
    "ce_source": "The service that owns the aggregate",
    "ce_type": "nastavnik.<kind>.<verb>.v1: what happened",
    "ce_time": "When it happened, RFC 3339 in UTC",
    "ce_subject": "Aggregate id, equal to the record's key",
    "ce_dataschema": "JSON Schema of the value",
    "ce_sequence": "Version of the aggregate: 1, 2, 3 …; keep the highest seen",
    "ce_partitionkey": "What chose the partition",
    "ce_correlationid": "The request or import that caused the event",
    "ce_traceparent": "W3C Trace Context of the request that caused the event",
    "content-type": "application/json",
}
_OPTIONAL = {"ce_dataschema", "ce_correlationid", "ce_traceparent"}


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """File name → JSON Schema of the state that events of a kind carry."""
    return {kind.schema_name: schema(kind) for kind in KINDS}


def schema(kind: Kind[State]) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.json.schema(kind.state)
    return {"$schema": DIALECT, "title": f"{kind.name} state", **document}


@cache
def examples() -> dict[str, dict[str, Any]]:
    """Event type → its golden example: topic, key, headers and data as on the wire."""
    text = files("nastavnik_common.events").joinpath("examples.json").read_text("utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


def asyncapi(service: str | None = None) -> dict[str, Any]:
    """The AsyncAPI 3 document: of one service, or of the whole system."""
    kinds = [k for k in KINDS if service in (None, k.source) or service in k.consumers]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"Nastavnik {service or 'events'}",
            "version": "1.0.0",
            "description": SERVICES.get(
                service or "", "Every event of Nastavnik: state-carrying, versioned, compacted."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {kind.name: _channel(kind) for kind in kinds},
        "operations": {
            name: operation for kind in kinds for name, operation in _operations(kind, service)
        },
        "components": {
            "messages": {
                f"{kind.name}.{verb}": _message(kind, verb) for kind in kinds for verb in kind.verbs
            },
            "schemas": {kind.name: _embedded(kind) for kind in kinds},
        },
    }


def _channel(kind: Kind[State]) -> dict[str, Any]:
    return {
        "address": kind.topic,
        "description": f"Compacted by the id of the {kind.name}; owned by {kind.source}.",
        "messages": {
            verb: {"$ref": f"#/components/messages/{kind.name}.{verb}"} for verb in kind.verbs
        },
        "bindings": {"kafka": {"topicConfiguration": {"cleanup.policy": ["compact"]}}},
    }


def _operations(kind: Kind[State], service: str | None) -> list[tuple[str, dict[str, Any]]]:
    channel = {"$ref": f"#/channels/{kind.name}"}
    found = []
    if service in (None, kind.source):
        found.append((f"{kind.source}.publish.{kind.name}", {"action": "send", "channel": channel}))
    for consumer in kind.consumers:
        if service in (None, consumer):
            name = f"{consumer}.consume.{kind.name}"
            found.append((name, {"action": "receive", "channel": channel}))
    return found


def _message(kind: Kind[State], verb: str) -> dict[str, Any]:
    payload: dict[str, Any] = {"$ref": f"#/components/schemas/{kind.name}"}
    if verb == DELETED:
        payload = {"type": "null", "description": "Tombstone: the record never should have been"}
    return {
        "name": kind.type(verb),
        "title": f"{kind.name} {verb}",
        "contentType": "application/json",
        "payload": payload,
        "headers": _headers(kind.type(verb)),
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}}},
        "examples": [_example(kind.type(verb))],
    }


def _example(event_type: str) -> dict[str, Any]:
    golden = examples()[event_type]
    return {"name": event_type, "headers": golden["headers"], "payload": golden["data"]}


def _headers(event_type: str) -> dict[str, Any]:
    properties: dict[str, Any] = {
        name: {"type": "string", "description": text} for name, text in _ATTRIBUTES.items()
    }
    properties["ce_type"]["const"] = event_type
    required = [name for name in _ATTRIBUTES if name not in _OPTIONAL]
    return {"type": "object", "properties": properties, "required": required}


def _embedded(kind: Kind[State]) -> dict[str, Any]:
    """The schema with its definitions inside, so that it resolves from any place."""
    document: dict[str, Any] = msgspec.json.schema(kind.state)
    definitions = document.pop("$defs")
    root = document["$ref"].rsplit("/", 1)[-1]
    resolved = _inline(definitions[root], definitions)
    assert isinstance(resolved, dict)
    return resolved


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, dict):
        if "$ref" in node:
            return _inline(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions)
        return {name: _inline(value, definitions) for name, value in node.items()}
    if isinstance(node, list):
        return [_inline(item, definitions) for item in node]
    return node
