"""What is read of the database for Prometheus, beside the work: how imports get on."""

from prometheus_client import CollectorRegistry
from sqlalchemy import func, select
from sqlmodel import col

from nastavnik_common import db
from nastavnik_common.outbox_watch import OutboxWatch
from nastavnik_common.settings import Settings
from nastavnik_common.telemetry import Reader, Reading, Readings
from nastavnik_registry import tables
from nastavnik_registry.imports.jobs import OPEN
from nastavnik_registry.tables import ImportJob


def create_readings(
    registry: CollectorRegistry, settings: Settings, sessions: db.Sessions
) -> Readings:
    outbox = OutboxWatch(registry, sessions, tables.outbox)
    imports = Imports(registry, sessions)
    every = settings.readings_seconds
    return Readings(
        registry,
        {"outbox": Reader(outbox.read, every), "imports": Reader(imports.read, every)},
    )


class Imports:
    """Of all replicas, whichever tells it."""

    def __init__(self, registry: CollectorRegistry, sessions: db.Sessions) -> None:
        self._sessions = sessions
        self._number = Reading(
            registry,
            "nastavnik_imports",
            "Imports ever asked for, by what they are now",
            ["status"],
        )
        self._progress = Reading(
            registry,
            "nastavnik_import_records",
            "Records of the imports that are under way: done, and in total as far as known",
            ["status", "part"],
        )
        self._age = Reading(
            registry,
            "nastavnik_import_oldest_open_age_seconds",
            "Since the oldest import that has not ended was asked for; 0 when all have",
        )

    async def read(self) -> None:
        age = func.extract("epoch", func.now() - func.min(ImportJob.created_at))
        query = select(
            col(ImportJob.status),
            func.count().label("number"),
            func.sum(col(ImportJob.done)).label("done"),
            func.sum(col(ImportJob.total)).label("total"),
            age.label("age"),
        ).group_by(col(ImportJob.status))
        async with self._sessions() as tx:
            rows = {row.status: row for row in await tx.execute(query)}
        waiting = {status: rows[status] for status in OPEN if status in rows}
        self._number.replace(
            {(status,): 0.0 for status in OPEN}
            | {(status,): float(row.number) for status, row in rows.items()}
        )
        self._progress.replace(
            {
                (s, part): float(getattr(r, part))
                for s, r in waiting.items()
                for part in ("done", "total")
            }
        )
        self._age.set(max((float(row.age) for row in waiting.values()), default=0.0))
