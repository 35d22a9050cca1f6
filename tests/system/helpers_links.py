"""Follows the links (OpenAPI) of a running service."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx

from tests.system.helpers_examples import Json, example, filled

NOT_YET = {"report.not_frozen"}
"""Refusals of what is there, and is not so far."""


class Operation(NamedTuple):
    method: str
    path: str
    description: Json

    @property
    def name(self) -> str:
        return str(self.description["operationId"])


class Links:
    """`followed`: `(from, to)` that answered 200, or as in `NOT_YET`;
    `refused`: sources, `astray`: targets, each with the answer that was none."""

    def __init__(self, document: Json, known: dict[str, dict[str, list[str]]]) -> None:
        self._document = document
        self._bodies = known["dates"] | known["fields"]
        self._parameters = known["dates"] | known["parameters"]
        self._operations = {
            each["operationId"]: Operation(method, path, each)
            for path, methods in document["paths"].items()
            for method, each in methods.items()
        }
        self.followed: set[tuple[str, str]] = set()
        self.refused: dict[str, str] = {}
        self.astray: dict[tuple[str, str], str] = {}

    def sources(self) -> Iterator[Operation]:
        """What is made first, so that lists have something."""
        for source in sorted(self._operations.values(), key=lambda each: each.method != "post"):
            if self._links(source) and self._can_call(source):
                yield source

    def of_made(self) -> set[tuple[str, str]]:
        """Links from what can be made to what can be read of it."""
        return {
            (source.name, target.name)
            for source in self.sources()
            if source.method == "post"
            for _, target, _ in self._links(source)
        }

    async def follow(self, client: httpx.AsyncClient, source: Operation) -> None:
        answer = await self._call(client, source, {})
        if not answer.is_success:
            self.refused[source.name] = answer.text
            return
        for status, target, parameters in self._links(source):
            given = {name: _evaluated(text, answer) for name, text in parameters.items()}
            if status != str(answer.status_code) or None in given.values():
                continue
            found = await self._call(client, target, given)
            if found.status_code == httpx.codes.OK or found.json().get("code") in NOT_YET:
                self.followed.add((source.name, target.name))
            else:
                self.astray[source.name, target.name] = found.text

    def _can_call(self, source: Operation) -> bool:
        """A list of what is known, or a create whose body is shown."""
        if source.method == "post":
            return example(self._document, source.description) is not None
        required = {each["name"] for each in _parameters(source) if each["required"]}
        return source.method == "get" and required <= self._parameters.keys()

    def _links(self, source: Operation) -> list[tuple[str, Operation, dict[str, str]]]:
        return [
            (status, self._operations[link["operationId"]], link["parameters"])
            for status, response in source.description["responses"].items()
            for link in response.get("links", {}).values()
            if self._operations[link["operationId"]].method == "get"
        ]

    async def _call(
        self, client: httpx.AsyncClient, operation: Operation, given: dict[str, Any]
    ) -> httpx.Response:
        path, query = operation.path, {}
        for parameter in _parameters(operation):
            name = parameter["name"]
            value = given.get(name)
            if value is None and parameter["required"]:
                value = self._parameters[name][0]
            if value is not None and parameter["in"] == "path":
                path = path.replace(f"{{{name}}}", value)
            elif value is not None:
                query[name] = value
        body = filled(example(self._document, operation.description), self._bodies, Counter())
        if body:
            body.pop("external_ids", None)  # another may have made the example before
        return await client.request(operation.method, path, params=query, json=body)


def _parameters(operation: Operation) -> list[Json]:
    found: list[Json] = operation.description.get("parameters", [])
    return found


def _evaluated(expression: str, answer: httpx.Response) -> Any:
    """The value, or None if it is not there. Only pointers into the body are read."""
    value: Any = answer.json()
    for part in expression.removeprefix("$response.body#/").split("/"):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if value else None
    return value
