"""What the registry is configured by, beside the settings every service has."""

import tempfile
from pathlib import Path

from pydantic import Field

from nastavnik_common.settings import Settings


def _import_dir() -> Path:
    return Path(tempfile.gettempdir()) / "nastavnik-imports"


class RegistrySettings(Settings):
    port: int = 8001
    import_dir: Path = Field(
        default_factory=_import_dir,
        description="where packages wait to be imported; shared by all replicas",
    )
    import_max_bytes: int = Field(default=512 * 1024 * 1024, ge=1, description="of one package")
    import_columns_max_bytes: int = Field(
        default=512 * 1024 * 1024,
        ge=0,
        description="files of people, unpacked, that an import reads by columns, in up to four"
        " times as much memory; larger ones go row by row, slower",
    )
    import_keep_days: int = Field(
        default=7, ge=1, description="a planned or held import waits so long for a decision"
    )
    import_attempts: int = Field(
        default=3, ge=1, description="runs of one import, counting those cut short by a crash"
    )
    pull_sources: Path | None = Field(
        default=None, description="TOML file of the OneRoster providers to pull rosters from"
    )
