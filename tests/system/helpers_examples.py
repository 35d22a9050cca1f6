"""Bodies and parameters out of a description, with ids of what is there in the place of its own."""

import copy
from collections import Counter
from typing import Any

Json = dict[str, Any]


def example(document: Json, operation: Json) -> Json | None:
    """The JSON body that is described, of the operation's schema."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    found: Json | None = document["components"]["schemas"].get(name, {}).get("examples", [None])[0]
    return copy.deepcopy(found)


def filled(value: Any, known: dict[str, list[str]], used: Counter[str], name: str = "") -> Any:
    """The same, where each field named in `known` has the next of its values."""
    if isinstance(value, dict):
        return {key: filled(each, known, used, key) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, known, used, name) for each in value]
    if name not in known or not isinstance(value, str):
        return value
    used[name] += 1
    return known[name][(used[name] - 1) % len(known[name])]
