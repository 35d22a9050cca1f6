"""What the routes work with, and the one way in which they write."""

from dataclasses import dataclass
from typing import Annotated, cast

import asyncpg
from fastapi import Depends, Request, Response
from prometheus_client import CollectorRegistry, Counter
from sqlalchemy.exc import IntegrityError

from nastavnik_activity import tables
from nastavnik_common import db, writing
from nastavnik_common.outbox import Outbox


class Metrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.sessions_logged = Counter(
            "sessions_logged", "Sessions logged", ["status"], registry=registry
        )


@dataclass(frozen=True)
class Service:
    sessions: db.Sessions
    outbox: Outbox
    metrics: Metrics

    async def write(self, request: Request, action: writing.Action) -> Response:
        """One transaction, committed before the answer.

        Two requests that bring the same id at the same moment meet in a constraint: the later one
        looks again, and finds what the earlier one made.
        """
        for _ in range(3):
            try:
                return await writing.write(request, self.sessions, tables.idempotency, action)
            except (IntegrityError, asyncpg.IntegrityConstraintViolationError):
                continue
        return await writing.write(request, self.sessions, tables.idempotency, action)


def _service(request: Request) -> Service:
    return cast(Service, request.app.state.service)


Wired = Annotated[Service, Depends(_service)]
