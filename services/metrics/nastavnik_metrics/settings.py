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
