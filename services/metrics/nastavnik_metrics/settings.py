"""What the metrics service is configured by, besides what every service is."""

from pathlib import Path

from pydantic import Field

from nastavnik_common.settings import Settings


class MetricsSettings(Settings):
    batch_records: int = Field(default=5000, ge=1, description="records folded in one transaction")
    announce_seconds: float = Field(
        default=0.1, ge=0, description="shortest pause between two rounds of announcing values"
    )
    dead_letter_surge: int = Field(
        default=100, ge=1, description="poison records a minute that stop the consumer"
    )
    catalogue: Path | None = Field(default=None, description="a catalogue file instead of ours")
    audit_owners: int = Field(default=200, ge=1, description="owners recomputed in one audit tick")
    audit_pause_seconds: float = Field(
        default=0.5, ge=0, description="pause after each tick of the audit"
    )
    scan_timeout_seconds: float = Field(
        default=900,
        gt=0,
        description="a statement of an audit, a recount or a rebuild without an answer for so long"
        " is given up",
    )
    accounting_seconds: float = Field(
        default=30, gt=0, description="pause between two looks at the accounts"
    )
    indicator_series: int = Field(
        default=2000, ge=0, description="values told to Prometheus, at most"
    )
    recount_seconds: float = Field(
        default=86_400, gt=0, description="pause between two recounts of the whole log"
    )
