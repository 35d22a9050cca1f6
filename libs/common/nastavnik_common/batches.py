"""Batch routes: newline-delimited JSON in, a result a line out."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from fastapi import Request, Response
from pydantic import BaseModel, Field, RootModel
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.errors import DomainError
from nastavnik_common.events.reading import explain
from nastavnik_common.writing import Action, Reply

MAX_LINES = 10_000
NDJSON = "application/x-ndjson"
Did = Literal["created", "changed", "unchanged", "waiting"]
T = TypeVar("T", bound=msgspec.Struct)


class Done(NamedTuple):
    """What became of a line, and the record it is about."""

    did: Did
    id: UUID


Results = Sequence[Done | DomainError]


class LineProblemView(BaseModel):
    code: str
    detail: str


class LineView(BaseModel):
    """One line of the answer to a batch."""

    line: int
    status: Literal["created", "changed", "unchanged", "waiting", "error"] = Field(
        description="changed, waiting (for review): of journals only"
    )
    id: UUID | None = None
    problem: LineProblemView | None = None


class Lines(RootModel[str]):
    """An NDJSON document on its way to be stored and sent as it is."""

    def model_dump_json(self, **_: Any) -> str:
        return self.root


class _Problem(msgspec.Struct, frozen=True):
    code: str
    detail: str


class _Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """A `LineView`, quick to make and to encode."""

    line: int
    status: str
    id: UUID | None = None
    problem: _Problem | None = None


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


def request_body(model: str) -> dict[str, Any]:
    """The OpenAPI description of a body whose lines are of the model."""
    schema = {
        "type": "string",
        "description": f"JSON objects like {model}, one a line, at most {MAX_LINES}",
    }
    return {"requestBody": {"required": True, "content": {NDJSON: {"schema": schema}}}}


async def answer(
    request: Request,
    write: Callable[[Request, Action], Awaitable[Response]],
    decoder: msgspec.json.Decoder[T],
    action: Callable[[AsyncSession, list[T]], Awaitable[Results]],
) -> Response:
    """Good lines are committed, though others fail. Line numbers begin with 1.

    DomainError 415 ``batch.content_type``; 413 ``batch.too_long`` above MAX_LINES.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != NDJSON:
        raise DomainError("batch.content_type", f"Send {NDJSON}.", status=415)
    body = await request.body()

    async def run(tx: AsyncSession) -> Reply:
        decoded = [_decoded(line, decoder) for line in _lines(body)]
        asked = [found for found in decoded if not isinstance(found, DomainError)]
        done = iter(await action(tx, asked) if asked else ())
        results = [
            _result(number, found if isinstance(found, DomainError) else next(done))
            for number, found in enumerate(decoded, 1)
        ]
        return Reply(Lines(msgspec.json.Encoder().encode_lines(results).decode()))

    response = await write(request, run)
    response.headers["content-type"] = NDJSON
    return response


def _lines(body: bytes) -> list[bytes]:
    lines = body.split(b"\n")
    if not lines[-1].strip():
        lines.pop()
    if len(lines) > MAX_LINES:
        raise DomainError(
            "batch.too_long", f"A batch has at most {MAX_LINES} lines; send several.", status=413
        )
    return lines


def _decoded(line: bytes, decoder: msgspec.json.Decoder[T]) -> T | DomainError:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return DomainError("line.invalid", explain(error))


def _result(number: int, found: Done | DomainError) -> _Result:
    if isinstance(found, DomainError):
        return _Result(number, "error", problem=_Problem(found.code, found.detail))
    return _Result(number, found.did, found.id)
