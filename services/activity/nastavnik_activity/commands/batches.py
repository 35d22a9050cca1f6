"""Newline-delimited JSON in, a result a line out."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec

from nastavnik_activity.commands.base import Entry, Made
from nastavnik_activity.domain.journals import Did
from nastavnik_common.errors import DomainError
from nastavnik_common.events.reading import explain

MAX_LINES = 10_000
T = TypeVar("T", bound=msgspec.Struct)
Results = Sequence[Made[Any] | Entry | DomainError]


class LineProblem(msgspec.Struct, frozen=True):
    code: str
    detail: str


class LineResult(msgspec.Struct, frozen=True, omit_defaults=True):
    line: int
    status: Did | Literal["error"]
    id: UUID | None = None
    problem: LineProblem | None = None


async def run(
    body: bytes, decoder: msgspec.json.Decoder[T], action: Callable[[list[T]], Awaitable[Results]]
) -> list[LineResult]:
    """Decode the lines, have the good ones done, and say for each line what became of it.

    Line numbers begin with 1. Raises DomainError 413 ``batch.too_long`` above MAX_LINES.
    """
    decoded = [_decoded(line, decoder) for line in _lines(body)]
    asked = [found for found in decoded if not isinstance(found, DomainError)]
    done = iter(await action(asked) if asked else ())
    return [
        _result(number, found if isinstance(found, DomainError) else next(done))
        for number, found in enumerate(decoded, 1)
    ]


def encode(results: Sequence[LineResult]) -> bytes:
    return msgspec.json.Encoder().encode_lines(results)


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


def _result(number: int, found: Made[Any] | Entry | DomainError) -> LineResult:
    if isinstance(found, DomainError):
        return LineResult(number, "error", problem=LineProblem(found.code, found.detail))
    entry = Entry.of(found) if isinstance(found, Made) else found
    return LineResult(number, entry.did, entry.id)
