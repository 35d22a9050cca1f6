"""How much waits in the outbox, and how long: looked at beside the relay, which may be stuck."""

from prometheus_client import CollectorRegistry
from sqlalchemy import Table, func, select

from nastavnik_common import db
from nastavnik_common.telemetry import Reading

COUNTED = 100_000
"""More are not counted: the depth then is this, and there are at least as many."""


class OutboxWatch:
    def __init__(self, registry: CollectorRegistry, sessions: db.Sessions, table: Table) -> None:
        self._sessions = sessions
        self._table = table
        self._depth = Reading(
            registry,
            "nastavnik_outbox_depth_events",
            f"Events that wait for the broker; {COUNTED} means at least as many",
        )
        self._age = Reading(
            registry,
            "nastavnik_outbox_oldest_age_seconds",
            "Age of the oldest event that waits; 0 when none does",
        )

    async def read(self) -> None:
        """By the database's own clock."""
        waiting = self._table.c
        first = (
            select(func.extract("epoch", func.clock_timestamp() - waiting.created_at))
            .order_by(waiting.id)
            .limit(1)
        )
        some = select(waiting.id).limit(COUNTED).subquery()
        async with self._sessions() as tx:
            depth = await tx.scalar(select(func.count()).select_from(some))
            age = await tx.scalar(first)
        self._depth.set(depth or 0)
        self._age.set(max(float(age or 0), 0.0))
