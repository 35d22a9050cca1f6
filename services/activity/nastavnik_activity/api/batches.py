"""What batch routes of activity have besides: journals, and results of their commands."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.api.service import Service
from nastavnik_activity.commands.base import Entry, Made, Results
from nastavnik_common import batches
from nastavnik_common.batches import RESPONSES, Done, request_body
from nastavnik_common.errors import DomainError
from nastavnik_common.sheets.keys import SOURCE

__all__ = ["RESPONSES", "Source", "answer", "request_body"]
T = TypeVar("T", bound=msgspec.Struct)

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


async def answer(
    request: Request,
    service: Service,
    decoder: msgspec.json.Decoder[T],
    action: Callable[[AsyncSession, list[T]], Awaitable[Results]],
) -> Response:
    """Good lines are committed, though others fail."""

    async def done(tx: AsyncSession, asked: list[T]) -> batches.Results:
        return [_done(each) for each in await action(tx, asked)]

    return await batches.answer(request, service.write, decoder, done)


def _done(found: Made[Any] | Entry | DomainError) -> Done | DomainError:
    if isinstance(found, DomainError):
        return found
    entry = Entry.of(found) if isinstance(found, Made) else found
    return Done(entry.did, entry.id)
