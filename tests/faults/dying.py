"""A relay or a projector that dies by SIGKILL at the worst moment, with its first records in hand.

python -m tests.faults.dying relay | projector-before-commit | projector-after-commit
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

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


class DyingProjector(Projector):
    """The figures are in the database, and nobody has been told so."""

    async def _apply(self, polled: Any) -> None:
        await super()._apply(polled)
        die()


async def _saved_and_dead(*arguments: Any) -> None:
    await _save(*arguments)
    die()


_save = positions.save


def _relay() -> Relay:
    settings = Settings()
    sessions = db.create_sessions(db.create_engine(settings))
    return DyingRelay(settings, sessions, outbox, RelayMetrics(CollectorRegistry()))


def _projector(kind: type[Projector]) -> Projector:
    settings = MetricsSettings()
    catalogue = Definitions(settings.catalogue).catalogue
    return kind(settings, catalogue, ProjectorMetrics(CollectorRegistry()))


def main(who: str) -> None:
    if who == "relay":
        asyncio.run(_relay().run())
    elif who == "projector-after-commit":
        asyncio.run(_projector(DyingProjector).run())
    else:
        positions.save = _saved_and_dead  # type: ignore[assignment]
        asyncio.run(_projector(Projector).run())


if __name__ == "__main__":
    main(sys.argv[1])
