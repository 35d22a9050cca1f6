"""What is read of the database for Prometheus, beside the work: positions, watermark, figures."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from nastavnik_common import clock, db
from nastavnik_common.events.metrics import IndicatorValueState
from nastavnik_common.events.registry import OrganizationState
from nastavnik_common.lag import LagWatch
from nastavnik_common.outbox_watch import OutboxWatch
from nastavnik_common.telemetry import Reader, Reading, Readings
from nastavnik_metrics.batch import TOPICS
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.identity import value_id
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.snapshot import watermark
from nastavnik_metrics.suppression import suppressed
from nastavnik_metrics.tables import OUTBOX
from nastavnik_metrics.tree import Tree

_UNITS = text(
    """
    select state::text from organization
    where state->>'level' in ('region', 'municipality') order by state->>'level' desc, id
    """
)
_VALUES = text("select body::text from indicator_value where id = any(:ids)")
_UNIT = msgspec.json.Decoder(OrganizationState)
_VALUE = msgspec.json.Decoder(IndicatorValueState)
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
        self._suppressed = Reading(
            registry,
            "nastavnik_indicator_values_suppressed",
            "Values that are not told here, because they are about few people or give them away",
        )
        self._left_out = Reading(
            registry,
            "nastavnik_indicator_values_left_out",
            "Values that are not told here, because there are more than the limit",
        )

    async def read(self) -> None:
        year = clock.school_year(clock.now().date())
        catalogue = self._definitions.catalogue
        codes = [indicator.code for indicator in catalogue.current(year)]
        async with self._sessions() as tx:
            units = [_UNIT.decode(state) for state in await tx.scalars(_UNITS)]
            about = {
                value_id(code, unit.id, year, "all"): (code, unit.level, str(unit.id), unit.name)
                for unit in units[: self._limit // max(len(codes), 1)]
                for code in codes
            }
            rows = await tx.scalars(_VALUES, {"ids": list(about)})
            known = [_VALUE.decode(body) for body in rows]
        tree = Tree({unit.id: unit for unit in units}, year, catalogue.census_day)
        children = {unit.id: tree.children(unit.id) for unit in units}
        # whoever reaches this page has no token: it is as published
        told = suppressed(known, children, catalogue.about_people)
        shown = [value for value in told if value.state != "suppressed"]
        for part, gauge in self._gauges.items():
            gauge.replace(_samples(shown, part, about, clock.label(year)))
        self._suppressed.set(len(told) - len(shown))
        self._left_out.set(len(units) * len(codes) - len(about))


def _samples(
    values: Sequence[IndicatorValueState],
    part: str,
    about: Mapping[UUID, tuple[str, ...]],
    year: str,
) -> dict[tuple[str, ...], float]:
    told = ((about[value.id], getattr(value, part)) for value in values)
    return {(*labels, year): float(value) for labels, value in told if value is not None}
