"""The composition root of the metrics service."""

import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from fastapi import FastAPI

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
from nastavnik_metrics import api, letters, readings, stream
from nastavnik_metrics.access import ACCESS
from nastavnik_metrics.accounting import Ledger
from nastavnik_metrics.announce import Announcer
from nastavnik_metrics.api import operations
from nastavnik_metrics.api.service import Service
from nastavnik_metrics.audit import Auditor
from nastavnik_metrics.batch import TOPICS
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.places import MetricsPlaces
from nastavnik_metrics.projector import Projector
from nastavnik_metrics.rebuild import Rebuilder
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.tables import DEAD_LETTER, IDEMPOTENCY, OUTBOX
from nastavnik_metrics.telemetry import AccountingMetrics, AuditMetrics, ProjectorMetrics

DESCRIPTION = "Coverage and effectiveness of mentoring, exact as sessions are logged."


def create_app(settings: MetricsSettings, *, background: bool = True) -> FastAPI:
    """The service. Without `background` nothing consumes, announces or relays: HTTP only."""
    definitions = Definitions(settings.catalogue)
    engine = db.create_engine(settings)
    registry = telemetry.create_registry("metrics", engine)
    sessions = db.create_sessions(engine)
    measured = ProjectorMetrics(registry)
    projector = Projector(settings, definitions.catalogue, measured)
    outbox = Outbox(OUTBOX, settings.schema_base_url)
    announcer = Announcer(settings, sessions, outbox, definitions, measured)
    relay = Relay(settings, sessions, OUTBOX, RelayMetrics(registry))
    hub = stream.Hub(settings.database_url)
    auditor = Auditor(settings, definitions, AuditMetrics(registry))
    rebuilder = Rebuilder(settings, definitions)
    ledger = Ledger(settings, AccountingMetrics(registry))
    parked = dead_letters.Tables.beside(DEAD_LETTER)
    watch = Watch(registry, sessions, parked, TOPICS, projector.surge.reset)
    measured.watch_surge(projector.surge.stopped)
    told = readings.create_readings(registry, settings, sessions, definitions)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        parts: list[Coroutine[Any, Any, None]] = (
            [projector.run(), announcer.run(), relay.run(), hub.run(), watch.run(), told.run()]
            if background
            else []
        )
        trust = [auditor.run(), rebuilder.run(), ledger.run()] if background else []
        forgetting = (
            [idempotency.pruning(sessions, IDEMPOTENCY, settings.idempotency_days)]
            if background
            else []
        )
        ends = [projector.end, relay.end]
        async with tasks.running(*parts, *trust, *forgetting, ends=ends):
            yield
        await engine.dispose()

    app = http.create_app(
        service="metrics",
        title="Nastavnik metrics",
        description=DESCRIPTION,
        settings=settings,
        registry=registry,
        checks={
            "database": lambda: db.ping(engine),
            "consumer": projector.check,
            "relay": relay.check,
        },
        lifespan=lifespan,
        access=ACCESS,
        places=MetricsPlaces(sessions),
    )
    app.include_router(
        api.create_router(Service(sessions, definitions, projector.lags, announcer.republish))
    )
    app.include_router(operations.create_trust_router(auditor, rebuilder, ledger))
    app.include_router(stream.create_router(sessions, hub))
    app.include_router(changes_api.create_router(sessions, "metrics"))
    apply = letters.applier(definitions)
    at_letters = letters.create_sessions(settings)
    app.include_router(dead_letters_api.create_router(at_letters, parked, apply, resumable=True))
    return app
