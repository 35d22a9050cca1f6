"""Where the service is put together."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from nastavnik_activity import api, letters, readings, replica, tables
from nastavnik_activity.access import ACCESS
from nastavnik_activity.api.service import Metrics, Service
from nastavnik_activity.consumer import GROUP, ReplicaConsumer
from nastavnik_activity.domain import questionnaires
from nastavnik_activity.places import ActivityPlaces
from nastavnik_activity.sheets import routes as sheets_routes
from nastavnik_common import (
    changes_api,
    db,
    dead_letters,
    dead_letters_api,
    http,
    idempotency,
    tasks,
    telemetry,
)
from nastavnik_common.dead_letters_watch import Watch
from nastavnik_common.outbox import Outbox, Relay, RelayMetrics
from nastavnik_common.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """The application. Nothing is connected before its lifespan begins or a request comes;
    relay and consumer run while the lifespan does."""
    questionnaires.shipped()  # what is wrong with them is said now, not at the first survey
    engine = db.create_engine(settings)
    registry = telemetry.create_registry("activity", engine)
    sessions = db.create_sessions(engine)
    relay = Relay(settings, sessions, tables.outbox, RelayMetrics(registry))
    consumer = ReplicaConsumer(settings, sessions, replica.Metrics(registry))
    parked = dead_letters.Tables.beside(tables.dead_letter)
    watch = Watch(registry, sessions, parked, letters.TOPICS)
    told = readings.create_readings(registry, settings, sessions, GROUP)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        forgetting = idempotency.pruning(sessions, tables.idempotency, settings.idempotency_days)
        parts = (relay.run(), consumer.run(), watch.run(), told.run(), forgetting)
        async with tasks.running(*parts, ends=[relay.end]):
            yield
        await engine.dispose()

    app = http.create_app(
        service="activity",
        title="Nastavnik activity",
        description="Mentorships, sessions, surveys, assessments, contributions and gatherings. "
        "Days are dates; periods are half-open.",
        settings=settings,
        registry=registry,
        checks={
            "database": lambda: db.ping(engine),
            "kafka": relay.check,
            "consumer": consumer.check,
        },
        lifespan=lifespan,
        access=ACCESS,
        places=ActivityPlaces(sessions),
    )
    app.state.service = Service(
        sessions=sessions,
        outbox=Outbox(tables.outbox, settings.schema_base_url),
        metrics=Metrics(registry),
        consents=settings.mentoring_consent == "required",
    )
    app.state.engine = engine
    app.include_router(api.router())
    app.include_router(sheets_routes.router)
    app.include_router(changes_api.create_router(sessions, "activity"))
    app.include_router(dead_letters_api.create_router(sessions, parked, letters.apply))
    return app
