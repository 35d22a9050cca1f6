"""A relay or a projector that dies by SIGKILL at the worst moment, with its first records in hand.

python -m tests.faults.dying relay | projector-before-commit | projector-after-commit
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg.transaction
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from nastavnik_activity.tables import outbox
from nastavnik_common import db
from nastavnik_common.outbox import Relay, RelayMetrics
from nastavnik_common.settings import Settings
from nastavnik_metrics import positions
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.projector import Projector
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.telemetry import ProjectorMetrics


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingRelay(Relay):
    """Everything is acknowledged by the broker, nothing is marked as sent."""

    async def _publish(self, producer: AIOKafkaProducer, rows: Sequence[Any]) -> None:
        await super()._publish(producer, rows)
        if rows:
            die()


def at_commit(*, before: bool) -> None:
    """Die around the first commit of a transaction in which positions were saved: after it, the
    figures are in the database and nobody has been told so."""
    saved = False
    save, transaction = positions.save, asyncpg.transaction.Transaction

    async def saving(connection: Any, tallies: Any) -> None:
        nonlocal saved
        await save(connection, tallies)
        saved = True

    def dying(end: Callable[..., Any]) -> Callable[..., Any]:
        async def ending(*arguments: Any) -> Any:
            if saved and before:
                die()
            found = await end(*arguments)
            if saved:
                die()
            return found

        return ending

    positions.save = saving
    for name in ("commit", "__aexit__"):
        setattr(transaction, name, dying(getattr(transaction, name)))


def _relay() -> Relay:
    settings = Settings()
    sessions = db.create_sessions(db.create_engine(settings))
    return DyingRelay(settings, sessions, outbox, RelayMetrics(CollectorRegistry()))


def _projector() -> Projector:
    settings = MetricsSettings()
    catalogue = Definitions(settings.catalogue).catalogue
    return Projector(settings, catalogue, ProjectorMetrics(CollectorRegistry()))


def main(who: str) -> None:
    if who == "relay":
        asyncio.run(_relay().run())
    else:
        at_commit(before=who == "projector-before-commit")
        asyncio.run(_projector().run())


if __name__ == "__main__":
    main(sys.argv[1])
