"""What the routes work with, and the one way in which they write."""

from dataclasses import dataclass
from typing import Annotated, cast

import asyncpg
from fastapi import Depends, Request, Response
from prometheus_client import CollectorRegistry, Counter
from sqlalchemy.exc import DBAPIError

from nastavnik_activity import tables
from nastavnik_common import db, writing
from nastavnik_common.outbox import Outbox


class Metrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.sessions_logged = Counter(
            "nastavnik_sessions_logged", "Sessions logged", ["status"], registry=registry
        )
        self.surveys_submitted = Counter(
            "nastavnik_surveys_submitted",
            "Responses to questionnaires",
            ["stage"],
            registry=registry,
        )
        self.assessments_recorded = Counter(
            "nastavnik_assessments_recorded", "Assessments recorded", ["domain"], registry=registry
        )
        self.contributions_recorded = Counter(
            "nastavnik_contributions_recorded",
            "Contributions recorded",
            ["kind"],
            registry=registry,
        )
        self.gatherings_recorded = Counter(
            "nastavnik_gatherings_recorded", "Gatherings recorded", ["status"], registry=registry
        )


@dataclass(frozen=True)
class Service:
    sessions: db.Sessions
    outbox: Outbox
    metrics: Metrics
    consents: bool
    """Whether a mentorship needs the consent of every member."""

    async def write(self, request: Request, action: writing.Action) -> Response:
        """One transaction, committed before the answer.

        Requests that bring the same ids at the same moment meet in a constraint, or wait for each
        other in a circle: the one that is refused looks again, and finds what the other made.
        """
        for _ in range(3):
            try:
                return await writing.write(request, self.sessions, tables.idempotency, action)
            except (DBAPIError, asyncpg.PostgresError) as error:
                if not _collided(error):
                    raise
        return await writing.write(request, self.sessions, tables.idempotency, action)


def _collided(error: DBAPIError | asyncpg.PostgresError) -> bool:
    """Whether another transaction was in the way. COPY raises asyncpg's own errors."""
    code = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None) or ""
    return code.startswith("23") or code == "40P01"


def _service(request: Request) -> Service:
    return cast(Service, request.app.state.service)


Wired = Annotated[Service, Depends(_service)]
