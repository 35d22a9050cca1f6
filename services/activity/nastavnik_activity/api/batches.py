"""How batch routes read and answer: newline-delimited JSON both ways."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.api.service import Service
from nastavnik_activity.api.views import Lines, LineView
from nastavnik_activity.commands import batches
from nastavnik_common.errors import DomainError
from nastavnik_common.sheets.keys import SOURCE
from nastavnik_common.writing import Reply

NDJSON = "application/x-ndjson"
T = TypeVar("T", bound=msgspec.Struct)


def _line_schema() -> dict[str, Any]:
    """Of a line of the answer, with nothing to be looked up elsewhere."""
    schema = LineView.model_json_schema(ref_template="{model}")
    problem = schema.pop("$defs")["LineProblemView"]
    schema["properties"]["problem"] = {"anyOf": [problem, {"type": "null"}], "default": None}
    return schema


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One line for each line sent, in order",
        "content": {NDJSON: {"schema": _line_schema()}},
    }
}


Source = Annotated[
    str | None,
    Query(
        pattern=SOURCE,
        max_length=63,
        description="A journal: each line has a `key` of that system instead of an `id`. The id "
        "follows from both; the same line again changes nothing, another one under the key "
        "corrects the record",
    ),
]


def request_body(model: str) -> dict[str, Any]:
    """The OpenAPI description of a body whose lines are of the model."""
    schema = {
        "type": "string",
        "description": f"JSON objects like {model}, one a line, at most {batches.MAX_LINES}",
    }
    return {"requestBody": {"required": True, "content": {NDJSON: {"schema": schema}}}}


async def answer(
    request: Request,
    service: Service,
    decoder: msgspec.json.Decoder[T],
    action: Callable[[AsyncSession, list[T]], Awaitable[batches.Results]],
) -> Response:
    """Good lines are committed, though others fail."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != NDJSON:
        raise DomainError("batch.content_type", f"Send {NDJSON}.", status=415)
    body = await request.body()

    async def run(tx: AsyncSession) -> Reply:
        results = await batches.run(body, decoder, lambda asked: action(tx, asked))
        return Reply(Lines(batches.encode(results).decode()))

    response = await service.write(request, run)
    response.headers["content-type"] = NDJSON
    return response
