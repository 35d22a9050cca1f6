"""What is read of the database for Prometheus, beside the work: positions, watermark, figures."""

from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from nastavnik_common import clock, db
from nastavnik_common.lag import LagWatch
from nastavnik_common.outbox_watch import OutboxWatch
from nastavnik_common.telemetry import Reader, Reading, Readings
from nastavnik_metrics.batch import TOPICS
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.identity import value_id
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.snapshot import watermark
from nastavnik_metrics.tables import OUTBOX

_UNITS = text(
    """
    select id, state->>'level' as level, state->>'name' as name from organization
    where state->>'level' in ('region', 'municipality') order by level desc, id
    """
)
_VALUES = text(
    """
    select id, numerator, denominator, cast(body->>'value' as float) as value,
           cast(body->>'target' as float) as target
    from indicator_value where id = any(:ids)
    """
)
_LABELS = ("indicator", "level", "unit", "name", "school_year")
_ABOUT = {
    "value": "Value last announced of all forms together, in the indicator's unit",
    "numerator": "Numerator of that value",
    "denominator": "Denominator of that value",
    "target": "Target of that value",
}
_FIGURES_TIMES = 6
"""Values are read that many times less often than the rest: they change slowly."""


def create_readings(
    registry: CollectorRegistry,
    settings: MetricsSettings,
    sessions: db.Sessions,
    definitions: Definitions,
) -> Readings:
    positions = Positions(registry, sessions)
    lag = LagWatch(registry, settings, "projector", positions.next_offsets)
    outbox = OutboxWatch(registry, sessions, OUTBOX)
    figures = Figures(registry, sessions, definitions, settings.indicator_series)
    every = settings.readings_seconds
    return Readings(
        registry,
        {
            "watermark": Reader(positions.read, every),
            "lag": Reader(lag.read, every, lag.close),
            "outbox": Reader(outbox.read, every),
            "figures": Reader(figures.read, _FIGURES_TIMES * every),
        },
    )


class Positions:
    """How far the figures are: of all replicas, whichever tells it."""

    def __init__(self, registry: CollectorRegistry, sessions: db.Sessions) -> None:
        self._sessions = sessions
        self._watermark = Reading(
            registry,
            "nastavnik_watermark_timestamp_seconds",
            "Every event up to this moment is in the figures; seconds since the epoch",
        )

    async def next_offsets(self) -> Mapping[TopicPartition, int]:
        query = "select topic, partition, next_offset from stream_position where topic = any(:t)"
        async with self._sessions() as tx:
            rows = await tx.execute(text(query), {"t": list(TOPICS)})
            return {TopicPartition(topic, number): offset for topic, number, offset in rows}

    async def read(self) -> None:
        async with self._sessions() as tx:
            moment = await watermark(tx)
        self._watermark.replace({(): moment.timestamp()} if moment else {})


class Figures:
    """Values of regions and municipalities as gauges, of this school year; at most `limit` values,
    regions first, so that a big country does not drown Prometheus."""

    def __init__(
        self,
        registry: CollectorRegistry,
        sessions: db.Sessions,
        definitions: Definitions,
        limit: int,
    ) -> None:
        self._sessions = sessions
        self._definitions = definitions
        self._limit = limit
        self._gauges = {
            part: Reading(registry, f"nastavnik_indicator_{part}", about, _LABELS)
            for part, about in _ABOUT.items()
        }
        self._left_out = Reading(
            registry,
            "nastavnik_indicator_values_left_out",
            "Values that are not told here, because there are more than the limit",
        )

    async def read(self) -> None:
        year = clock.school_year(clock.now().date())
        codes = [indicator.code for indicator in self._definitions.catalogue.current(year)]
        async with self._sessions() as tx:
            units = (await tx.execute(_UNITS)).all()
            about = {
                value_id(code, unit.id, year, "all"): (code, unit.level, str(unit.id), unit.name)
                for unit in units[: self._limit // max(len(codes), 1)]
                for code in codes
            }
            rows = (await tx.execute(_VALUES, {"ids": list(about)})).all()
        for part, gauge in self._gauges.items():
            gauge.replace(_samples(rows, part, about, clock.label(year)))
        self._left_out.set(len(units) * len(codes) - len(about))


def _samples(
    rows: Any, part: str, about: Mapping[Any, tuple[str, ...]], year: str
) -> dict[tuple[str, ...], float]:
    told = ((about[row.id], getattr(row, part)) for row in rows)
    return {(*labels, year): float(value) for labels, value in told if value is not None}
