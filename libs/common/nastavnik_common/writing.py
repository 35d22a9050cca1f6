"""A write over HTTP: one transaction, its result kept for repeats, committed before the answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db, idempotency
from nastavnik_common.errors import DomainError


@dataclass(frozen=True)
class Reply:
    """What a command answers: a body, and the version and place of the record it is about."""

    body: BaseModel
    status: int = 200
    version: int | None = None
    location: str | None = None

    def headers(self) -> dict[str, str]:
        found = {}
        if self.version is not None:
            found["etag"] = f'"{self.version}"'
        if self.location is not None:
            found["location"] = self.location
        return found


Action = Callable[[AsyncSession], Awaitable[Reply]]


async def write(request: Request, sessions: db.Sessions, table: Table, action: Action) -> Response:
    """Run the action in one transaction and answer after its commit.

    With an ``Idempotency-Key`` the first result is stored in the same transaction; the same
    request again gets it back, another request under the key gets 409.
    """
    key = request.headers.get(idempotency.HEADER)
    if key is None:
        async with sessions.begin() as tx:
            reply = await action(tx)
        return _response(reply.status, reply.headers(), reply.body.model_dump_json().encode())
    key = idempotency.own_key(key)
    place = f"{request.url.path}?{request.url.query}"
    mark = idempotency.fingerprint(request.method, place, await request.body())
    async with sessions.begin() as tx:
        stored = await idempotency.recall(tx, table, key, mark)
        if stored is None:
            reply = await action(tx)
            body = reply.body.model_dump_json().encode()
            headers = msgspec.json.encode(reply.headers()).decode()
            await idempotency.remember(tx, table, key, mark, reply.status, headers, body)
            return_value = (reply.status, reply.headers(), body)
        else:
            return_value = (stored.status, msgspec.json.decode(stored.headers), stored.body)
    return _response(*return_value)


def _response(status: int, headers: dict[str, str], body: bytes) -> Response:
    kind = "application/json" if status < 400 else "application/problem+json"
    return Response(body, status, headers, media_type=kind)


def if_match(request: Request) -> int | None:
    """The version that If-Match names; None when absent or ``*``."""
    given = request.headers.get("if-match")
    if given is None or given == "*":
        return None
    text = given.removeprefix("W/").strip('"')
    # not isdigit alone: int() refuses "²", and numbers of thousands of digits
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise DomainError("if_match.malformed", 'If-Match is a version such as "3".', status=400)
    return int(text)
