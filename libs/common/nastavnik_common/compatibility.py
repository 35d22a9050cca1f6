"""Which changes of a payload's JSON Schema its readers and the records already written survive.

A topic keeps one record per aggregate for ever, and services are upgraded one after another, so
two things must hold within a version of an event type: the new schema reads every old record, and
an old reader still finds what it relied on. What breaks either is *breaking* and needs a new
version of the type. What only lets new values appear (a new enum member, null where there was
none) is safe once every consumer has been upgraded: *consumers first*. The rest is no change.

Understands the JSON Schemas that msgspec writes: ``$ref`` into ``$defs``, ``anyOf`` of different
types, ``enum``, ``const``, bounds, objects, arrays. Anything else raises ValueError.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Grade = Literal["breaking", "consumers_first"]
Schema = Mapping[str, Any]

_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT = ("format", "pattern", "multipleOf")
_STRUCTURE = {"$ref", "$defs", "$schema", "anyOf", "oneOf", "type", "enum", "const"}
_CONTENT = {"properties", "required", "items", "prefixItems", "additionalProperties", "default"}
_KNOWN = {*_STRUCTURE, *_CONTENT, *_LOWER, *_UPPER, *_EXACT, "title", "description", "examples"}


@dataclass(frozen=True)
class Change:
    path: str
    what: str
    grade: Grade

    def __str__(self) -> str:
        return f"{self.path or 'payload'}: {self.what}"


def breaking(old: Schema, new: Schema) -> list[Change]:
    """The changes that a version of an event type must not make."""
    return [change for change in compare(old, new) if change.grade == "breaking"]


def compare(old: Schema, new: Schema) -> list[Change]:
    """Every change that matters to somebody, in the order of the old schema."""
    return list(_node("", _Cursor(old, old), _Cursor(new, new)))


@dataclass(frozen=True)
class _Cursor:
    """A place in a schema, and the document its references point into."""

    node: Schema
    document: Schema

    def at(self, node: Schema) -> "_Cursor":
        return _Cursor(node, self.document)

    def resolved(self) -> "_Cursor":
        found = self
        while "$ref" in found.node:
            name = found.node["$ref"].removeprefix("#/$defs/")
            found = self.at(self.document["$defs"][name])
        unknown = found.node.keys() - _KNOWN
        if unknown:
            raise ValueError(f"keywords not understood: {', '.join(sorted(unknown))}")
        return found

    def alternatives(self) -> dict[str, "_Cursor"]:
        """JSON type → what a value of this type has to satisfy."""
        here = self.resolved()
        options = here.node.get("anyOf") or here.node.get("oneOf")
        if options:
            return _merged([here.at(option).alternatives() for option in options])
        values = [here.node["const"]] if "const" in here.node else here.node.get("enum")
        if values is not None:
            return _by_type(here, values)
        declared = here.node.get("type", list(_TYPES))
        return dict.fromkeys([declared] if isinstance(declared, str) else declared, here)


def _merged(found: list[dict[str, _Cursor]]) -> dict[str, _Cursor]:
    merged: dict[str, _Cursor] = {}
    for alternatives in found:
        twice = merged.keys() & alternatives.keys()
        if twice:
            raise ValueError(f"two alternatives of the same type: {', '.join(sorted(twice))}")
        merged.update(alternatives)
    return merged


def _by_type(here: _Cursor, values: list[Any]) -> dict[str, _Cursor]:
    grouped: dict[str, list[Any]] = {}
    for value in values:
        grouped.setdefault(_type_of(value), []).append(value)
    return {
        name: here.at({} if name == "null" else {"enum": members})
        for name, members in grouped.items()
    }


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    kinds: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return kinds[type(value)]


def _node(path: str, old: _Cursor, new: _Cursor) -> Iterator[Change]:
    before, after = old.alternatives(), new.alternatives()
    for name, cursor in before.items():
        counterpart = after.get(name) or (after.get("number") if name == "integer" else None)
        if counterpart is None:
            yield Change(path, f"may no longer be {name}", "breaking")
        else:
            yield from _same_type(path, cursor, counterpart)
    for name in after:
        if name not in before and not (name == "integer" and "number" in before):
            yield Change(path, f"may now be {name}", "consumers_first")
    was, now = old.node.get("default"), new.node.get("default")
    if "default" in old.node and was != now:
        yield Change(path, f"default {was!r} became {now!r}", "breaking")


def _same_type(path: str, old: _Cursor, new: _Cursor) -> Iterator[Change]:
    yield from _members(path, old.node.get("enum"), new.node.get("enum"))
    yield from _bounds(path, old.node, new.node, _LOWER, lambda was, now: now > was)
    yield from _bounds(path, old.node, new.node, _UPPER, lambda was, now: now < was)
    yield from _bounds(path, old.node, new.node, _EXACT, lambda was, now: now != was)
    yield from _fields(path, old, new)
    yield from _elements(path, old, new)


def _members(path: str, old: list[Any] | None, new: list[Any] | None) -> Iterator[Change]:
    if new is not None and old is None:
        yield Change(path, f"is now one of {new}", "breaking")
    if old is not None and new is None:
        yield Change(path, f"is no longer one of {old}", "consumers_first")
    if old is None or new is None:
        return
    for value in old:
        if value not in new:
            yield Change(path, f"may no longer be {value!r}", "breaking")
    for value in new:
        if value not in old:
            yield Change(path, f"may now be {value!r}", "consumers_first")


def _bounds(
    path: str,
    old: Schema,
    new: Schema,
    keywords: tuple[str, ...],
    narrows: Callable[[Any, Any], bool],
) -> Iterator[Change]:
    for keyword in keywords:
        was, now = old.get(keyword), new.get(keyword)
        if was == now:
            continue
        narrower = was is None or (now is not None and narrows(was, now))
        told = f"{keyword} {was} became {now}".replace("None", "nothing")
        yield Change(path, told, "breaking" if narrower else "consumers_first")


def _fields(path: str, old: _Cursor, new: _Cursor) -> Iterator[Change]:
    before, after = old.node.get("properties", {}), new.node.get("properties", {})
    was, now = set(old.node.get("required", ())), set(new.node.get("required", ()))
    for name, schema in before.items():
        place = f"{path}.{name}".lstrip(".")
        if name not in after:
            yield Change(place, "was removed", "breaking")
            continue
        if name in now - was:
            yield Change(place, "became required: older records lack it", "breaking")
        if name in was - now:
            yield Change(place, "is no longer required: older readers rely on it", "breaking")
        yield from _node(place, old.at(schema), new.at(after[name]))
    for name in sorted(now - before.keys()):
        place = f"{path}.{name}".lstrip(".")
        yield Change(place, "is new and required: older records lack it", "breaking")
    if _closed(new.node) and not _closed(old.node):
        yield Change(path, "accepts no further fields any more", "breaking")


def _closed(node: Schema) -> bool:
    return node.get("additionalProperties") is False


def _elements(path: str, old: _Cursor, new: _Cursor) -> Iterator[Change]:
    before, after = old.node.get("items"), new.node.get("items")
    if old.node.get("prefixItems") != new.node.get("prefixItems"):
        yield Change(path, "has other positions", "breaking")
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _node(f"{path}[]", old.at(before), new.at(after))
    elif before != after:
        yield Change(path, "has other elements", "breaking")
