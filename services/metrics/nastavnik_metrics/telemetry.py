"""What the metrics service tells Prometheus about its own work."""

from collections.abc import Callable, Mapping
from datetime import datetime

from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from nastavnik_common import clock
from nastavnik_common.telemetry import Reading
from nastavnik_metrics.batch import Batch, Tally

OUTCOMES = ("applied", "superseded", "parked", "skipped")


class ProjectorMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.records = Counter(
            "nastavnik_projector_records",
            "Records read, by outcome",
            ["topic", "outcome"],
            registry=registry,
        )
        self.failures = Counter(
            "nastavnik_projector_failures",
            "Batches that failed and were tried again",
            registry=registry,
        )
        self.assigned = Gauge(
            "nastavnik_projector_assigned_partitions",
            "Partitions whose end this process knows and which it consumes",
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "nastavnik_projector_batch_seconds",
            "Duration of one batch, from decode to commit",
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=registry,
        )
        self.batch_records = Histogram(
            "nastavnik_projector_batch_records",
            "Records in one batch",
            buckets=(1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000),
            registry=registry,
        )
        self.delay = Histogram(
            "nastavnik_event_to_figure_seconds",
            "From an event to its being in the figures; of each batch the first one of every topic",
            ["topic"],
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600),
            registry=registry,
        )
        self.announced = Counter(
            "nastavnik_indicator_values_announced", "Changed values announced", registry=registry
        )

    def watch_surge(self, stopped: Callable[[], bool]) -> None:
        Gauge(
            "nastavnik_projector_stopped",
            "1 while a surge of dead letters has stopped this process's consumer",
            registry=self._registry,
        ).set_function(stopped)

    def measure_lag(self, lags: Mapping[TopicPartition, int]) -> None:
        """The lag itself is read beside the consumer, by `nastavnik_common.lag`."""
        self.assigned.set(len(lags))

    def count(
        self, tallies: Mapping[tuple[str, int], Tally], firsts: Mapping[str, datetime]
    ) -> None:
        """A batch that is in the figures, just committed. `firsts`: see the function."""
        size = 0
        for (topic, _), tally in tallies.items():
            for outcome in OUTCOMES:
                number = getattr(tally, outcome)
                self.records.labels(topic, outcome).inc(number)
                size += number
        self.batch_records.observe(size)
        now = clock.now()
        for topic, happened in firsts.items():
            self.delay.labels(topic).observe(max((now - happened).total_seconds(), 0))


def firsts(batch: Batch) -> dict[str, datetime]:
    """When the first change of every topic in the batch happened: it has waited longest."""
    found = {}
    for topic, changes in batch.changes.items():
        for change in changes.values():
            headers = dict(change.record.headers)
            found[topic] = datetime.fromisoformat(headers["ce_time"].decode())
            break
    return found


class AuditMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.drift = Reading(
            registry,
            "mentoring_indicator_drift",
            "Cells, and what is derived beside them, that were not what the facts say in the last"
            " complete audit of this process; must be 0",
        )
        self.rounds = Counter("nastavnik_audit_rounds", "Complete audits", registry=registry)
        self.last_complete = Reading(
            registry,
            "nastavnik_audit_last_complete_timestamp_seconds",
            "When the last complete audit of this process ended, in seconds since the epoch",
        )


class AccountingMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.accounted = Gauge(
            "nastavnik_projector_accounted_records",
            "Records read, by what became of them, of all partitions and since ever",
            ["topic", "outcome"],
            registry=registry,
        )
        self.gap = Gauge(
            "nastavnik_accounting_gap_records",
            "Records that are proven not to be accounted for; must be 0",
            ["topic"],
            registry=registry,
        )
        self.recounted = Reading(
            registry,
            "nastavnik_recount_last_complete_timestamp_seconds",
            "When this process last counted the whole log again, in seconds since the epoch",
        )
