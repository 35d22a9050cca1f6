"""The registry, put together."""

import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from nastavnik_common import changes_api, db, http, idempotency, tasks, telemetry
from nastavnik_common.middleware import UNLIMITED
from nastavnik_common.outbox import Outbox, Relay, RelayMetrics
from nastavnik_common.settings import Settings
from nastavnik_registry import oneroster, pulling, tables
from nastavnik_registry.access import ACCESS
from nastavnik_registry.api import Service, routers, tracing
from nastavnik_registry.imports.intake import Intake
from nastavnik_registry.imports.jobs import Jobs
from nastavnik_registry.places import RegistryPlaces
from nastavnik_registry.readings import create_readings
from nastavnik_registry.settings import RegistrySettings
from nastavnik_registry.sheets import routes as sheets_routes

_DESCRIPTION = "Organisations, participants, programmes, targets and roster imports."


def create_app(settings: Settings, *, background: bool = True) -> FastAPI:
    """The application. Nothing connects before its lifespan; without `background` the relay and
    the import worker do not run."""
    own = _own(settings)
    engine = db.create_engine(own)
    sessions = db.create_sessions(engine)
    registry = telemetry.create_registry("registry", engine, own.import_dir)
    relay = Relay(own, sessions, tables.outbox, RelayMetrics(registry))
    jobs = Jobs(own, sessions)
    pulls = pulling.Pulls(own, sessions, jobs.wake)
    told = create_readings(registry, own, sessions)

    async def database() -> None:
        await db.ping(engine)

    async def forget() -> None:
        await idempotency.pruning(sessions, tables.idempotency, own.idempotency_days)

    async def chain() -> None:
        await tracing.sealing(sessions)

    work = (relay.run, jobs.run, pulls.run, told.run, forget, chain)
    app = http.create_app(
        service="registry",
        title="Nastavnik registry",
        description=_DESCRIPTION,
        settings=own,
        registry=registry,
        checks={"database": database, "kafka": relay.check},
        lifespan=_lifespan(engine, jobs, relay, *(work if background else ())),
        access=ACCESS,
        places=RegistryPlaces(sessions),
    )
    app.add_middleware(tracing.Traced, sessions=sessions)
    setattr(app.state, UNLIMITED, ("/imports",))
    setattr(app.state, http.REFUSALS, {oneroster.PREFIX: oneroster.refused})
    outbox = Outbox(tables.outbox, own.schema_base_url)
    app.state.service = Service(sessions, outbox, Intake(own, sessions, jobs.wake), jobs)
    app.state.engine = engine
    app.state.pulls = pulls
    for router in (*routers(), oneroster.router, pulling.router, sheets_routes.router):
        app.include_router(router)
    app.include_router(changes_api.create_router(sessions, "registry"))
    return app


def _own(settings: Settings) -> RegistrySettings:
    if isinstance(settings, RegistrySettings):
        return settings
    return RegistrySettings(**settings.model_dump())


def _lifespan(
    engine: AsyncEngine,
    jobs: Jobs,
    relay: Relay,
    *background: Callable[[], Coroutine[Any, Any, None]],
) -> http.Lifespan:
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with tasks.running(*(work() for work in background), ends=[relay.end]):
            yield
        await jobs.close()
        await engine.dispose()

    return lifespan
