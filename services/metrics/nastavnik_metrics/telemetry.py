"""What the metrics service tells Prometheus about itself."""

from collections.abc import Mapping

from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from nastavnik_metrics.batch import Batch


class ProjectorMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter(
            "projector_records", "Records read, by outcome", ["topic", "outcome"], registry=registry
        )
        self.failures = Counter(
            "projector_failures", "Batches that failed and were tried again", registry=registry
        )
        self.lag = Gauge(
            "projector_lag_records",
            "Records not yet read",
            ["topic", "partition"],
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "projector_batch_seconds",
            "Duration of one batch, from decode to commit",
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=registry,
        )
        self.announced = Counter(
            "indicator_values_announced", "Changed values announced", registry=registry
        )

    def measure_lag(self, lags: Mapping[TopicPartition, int]) -> None:
        for partition, lag in lags.items():
            self.lag.labels(partition.topic, str(partition.partition)).set(lag)

    def count(self, batch: Batch) -> None:
        for (topic, _), tally in batch.tallies.items():
            for outcome in ("applied", "superseded", "parked", "skipped"):
                self.records.labels(topic, outcome).inc(getattr(tally, outcome))


class AuditMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.drift = Gauge(
            "mentoring_indicator_drift",
            "Cells, and what is derived beside them, that were not what the facts say in the last"
            " complete audit; must be 0",
            registry=registry,
        )
        self.rounds = Counter("audit_rounds", "Complete audits", registry=registry)
        self.last_complete = Gauge(
            "audit_last_complete_timestamp",
            "When the last complete audit ended, in seconds since the epoch",
            registry=registry,
        )


class AccountingMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.accounted = Gauge(
            "projector_accounted_records",
            "Records read, by what became of them, of all partitions and since ever",
            ["topic", "outcome"],
            registry=registry,
        )
        self.gap = Gauge(
            "accounting_gap",
            "Records that are proven not to be accounted for; must be 0",
            ["topic"],
            registry=registry,
        )
