"""What every service tells Prometheus: one registry, one scheme of names, and cheap scrapes.

Names begin with ``nastavnik_``, but for those of the process, which are Prometheus' own, and
``mentoring_indicator_drift``. A scrape only writes down what is in memory: whatever lies in the
database or with the broker is read beside it, by `Readings`, and is told anew after a restart.
"""

import asyncio
import functools
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from nastavnik_common import logs

log = logs.logger(__name__)
PATIENCE_SECONDS = 10.0


def create_registry(
    service: str, engine: AsyncEngine, disk: Path | None = None
) -> CollectorRegistry:
    """With what is told of every process: itself, its pool of connections, the disk it writes to
    (of `disk`, or else of the temporary directory's)."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    Gauge("nastavnik_service", "1, of each process that runs", ["name"], registry=registry).labels(
        service
    ).set(1)
    _measure_pool(registry, engine)
    _measure_disk(registry, disk or Path(tempfile.gettempdir()))
    return registry


def _measure_pool(registry: CollectorRegistry, engine: AsyncEngine) -> None:
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    connections = Gauge(
        "nastavnik_database_pool_connections",
        "Connections to the database, in use or idle",
        ["state"],
        registry=registry,
    )
    connections.labels("in_use").set_function(pool.checkedout)
    connections.labels("idle").set_function(pool.checkedin)
    Gauge(
        "nastavnik_database_pool_limit_connections",
        "The most connections the pool opens",
        registry=registry,
    ).set(pool.size() + pool._max_overflow)


def _measure_disk(registry: CollectorRegistry, path: Path) -> None:
    def usage(part: str) -> float:
        there = next(p for p in (path, *path.absolute().parents) if p.exists())
        return float(getattr(shutil.disk_usage(there), part))

    for name, part in (("free", "free"), ("size", "total")):
        Gauge(
            f"nastavnik_disk_{name}_bytes",
            f"The disk on which the service writes: {name}",
            registry=registry,
        ).set_function(functools.partial(usage, part))


class Reading(Collector):
    """A gauge whose samples are replaced together. Before the first reading it has none, so nothing
    is told that was not measured, and what is gone leaves no series behind."""

    def __init__(
        self, registry: CollectorRegistry, name: str, about: str, labels: Sequence[str] = ()
    ) -> None:
        self._name, self._about, self._labels = name, about, tuple(labels)
        self._samples: Mapping[tuple[str, ...], float] = {}
        registry.register(self)

    def set(self, value: float) -> None:
        self.replace({(): value})

    def replace(self, samples: Mapping[tuple[str, ...], float]) -> None:
        """By the values of the labels, in their order."""
        self._samples = dict(samples)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(self._name, self._about, labels=self._labels)
        for labels, value in self._samples.items():
            family.add_metric(labels, value)
        yield family


class Reader(NamedTuple):
    """Read every so many seconds; `close` is called when that is over."""

    read: Callable[[], Awaitable[None]]
    seconds: float
    close: Callable[[], Awaitable[None]] | None = None


class Readings:
    """Runs readers beside the service, each in its own time. One that fails or hangs leaves its
    last samples, and its timestamp tells how old they are."""

    def __init__(self, registry: CollectorRegistry, readers: Mapping[str, Reader]) -> None:
        self._readers = readers
        self._at = Gauge(
            "nastavnik_reading_timestamp_seconds",
            "When this was last read, or else when the process began; seconds since the epoch",
            ["what"],
            registry=registry,
        )
        self._failures = Counter(
            "nastavnik_reading_failures", "Readings that failed", ["what"], registry=registry
        )
        for what in readers:
            self._at.labels(what).set(time.time())
            self._failures.labels(what)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for what, reader in self._readers.items():
                    group.create_task(self._keep(what, reader))
        finally:
            await self.close()

    async def close(self) -> None:
        """Give up what readers hold."""
        for reader in self._readers.values():
            if reader.close is not None:
                await reader.close()

    async def _keep(self, what: str, reader: Reader) -> None:
        while True:
            await self.read(what)
            await asyncio.sleep(reader.seconds)

    async def read(self, *names: str) -> None:
        """Read once: those, or all."""
        for what in names or self._readers:
            try:
                await asyncio.wait_for(self._readers[what].read(), PATIENCE_SECONDS)
            except Exception as error:
                self._failures.labels(what).inc()
                log.debug("not read", what=what, error=f"{type(error).__name__}: {error}")
            else:
                self._at.labels(what).set(time.time())
