"""What every description says besides its routes: who may call them, how they refuse, and which
calls an answer leads to (OpenAPI links)."""

import re
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from nastavnik_common import auth_rules

Json = dict[str, Any]
JSON = "application/json"
PROBLEM = "application/problem+json"
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "of the OpenID provider, with grants of the roles in `x-roles`",
}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_REFUSALS = {
    "401": ("Unauthorized", "No token, or none that holds", "WWW-Authenticate"),
    "403": ("Forbidden", "No role that may do this, or not there", "WWW-Authenticate"),
    "429": ("TooManyRequests", "Too many requests of this client for now", "Retry-After"),
    "503": ("Unavailable", "The database is away, or it took too long", "Retry-After"),
}


def operation_id(route: APIRoute) -> str:
    """Clients name functions so: the route's own name, once in a service."""
    return route.name


def describe(app: FastAPI, rules: auth_rules.Access) -> None:
    """Complete what FastAPI makes, when it is first made."""
    make = app.openapi

    def openapi() -> Json:
        fresh = app.openapi_schema is None
        document = make()
        if fresh:
            _complete(document, rules)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(document: Json, rules: auth_rules.Access) -> None:
    seen: set[str] = set()
    for path, method, operation in _operations(document):
        if operation["operationId"] in seen:
            raise ValueError(f"two operations {operation['operationId']}: rename one")
        seen.add(operation["operationId"])
        _add_access(operation, rules.get((method.upper(), path), auth_rules.PUBLIC))
        _add_refusals(operation)
        _drop_defaults(operation)
        _add_links(document, path, method, operation)
    components = document["components"]
    components["securitySchemes"] = {"bearer": _BEARER}
    components["responses"] = {
        name: _refusal(text, header, {PROBLEM: {"schema": _PROBLEM}})
        for name, text, header in _REFUSALS.values()
    }


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _add_access(operation: Json, rule: auth_rules.Rule) -> None:
    if not rule.public:
        operation["security"] = [{"bearer": []}]
        operation["x-roles"] = sorted(rule.roles)


def _drop_defaults(operation: Json) -> None:
    """Of headers: they may be left out, and what stands for that in Python is refused when sent."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "header":
            parameter["schema"].pop("default", None)


def _add_refusals(operation: Json) -> None:
    """Problems are problem documents; FastAPI takes them for what the route answers else. Some
    routes have a form of their own."""
    responses = operation["responses"]
    content = responses["4XX"]["content"]
    own = content.get(JSON, {}).get("schema", _PROBLEM) != _PROBLEM
    if not own:
        responses["4XX"]["content"] = {PROBLEM: {"schema": _PROBLEM}}
    for status, (name, text, header) in _REFUSALS.items():
        if status in responses or (status in ("401", "403") and "security" not in operation):
            continue
        named = {"$ref": f"#/components/responses/{name}"}
        responses[status] = _refusal(text, header, content) if own else named


def _refusal(text: str, header: str, content: Json) -> Json:
    headers = {header: {"schema": {"type": "string"}}}
    return {"description": text, "headers": headers, "content": content}


def _add_links(document: Json, path: str, method: str, operation: Json) -> None:
    for status, response in operation["responses"].items():
        if not status.startswith("2"):
            continue
        properties = _properties(document, response)
        links: Json = {}
        if method == "post":
            links = _to_made(document, path, properties)
        elif method == "put":
            links = _to_put(document, path)
        elif method == "get" and "next_cursor" in properties and _takes_cursor(operation):
            links = _to_listed(document, path, operation, properties)
        if links:
            response["links"] = links


def _takes_cursor(operation: Json) -> bool:
    return any(each["name"] == "cursor" for each in operation.get("parameters", []))


def _properties(document: Json, response: Json) -> Json:
    """Those of the object that is answered."""
    schema = response.get("content", {}).get(JSON, {}).get("schema", {})
    return _resolved(document, schema).get("properties", {})  # type: ignore[no-any-return]


def _resolved(document: Json, schema: Json) -> Json:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Json = document["components"]["schemas"][name] if name else schema
    return found


def _to_made(document: Json, path: str, properties: Json) -> Json:
    """From what was made in a collection to all that can be done with it."""
    links: Json = {}
    for other, _, operation in _operations(document):
        names = re.findall(r"{(\w+)}", other)
        if len(names) == 1 and re.match(re.escape(path) + r"/{\w+}", other):
            key = "id" if "id" in properties else names[0]
            if key in properties:
                links |= _link(operation, names[0], f"$response.body#/{key}")
    return links


def _to_put(document: Json, path: str) -> Json:
    (name,) = re.findall(r"{(\w+)}", path)
    return _link(document["paths"][path]["get"], name, f"$request.path.{name}")


def _to_listed(document: Json, path: str, operation: Json, properties: Json) -> Json:
    """From a page to the next one, and to what comes first on it."""
    links = _link(operation, "cursor", "$response.body#/next_cursor", name="next")
    item = _resolved(document, properties["items"]["items"]).get("properties", {})
    for other, operations in document["paths"].items():
        found = re.fullmatch(re.escape(path) + r"/{(\w+)}", other)
        if found and "get" in operations:
            key = "id" if "id" in item else found[1]
            if key in item:
                links |= _link(operations["get"], found[1], f"$response.body#/items/0/{key}")
    return links


def _link(operation: Json, parameter: str, expression: str, name: str = "") -> Json:
    target = operation["operationId"]
    return {name or target: {"operationId": target, "parameters": {parameter: expression}}}
