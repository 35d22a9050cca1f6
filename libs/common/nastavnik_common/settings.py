"""Environment → typed settings. Read once, in a service's composition root."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What every service is configured by; all variables carry the prefix ``NASTAVNIK_``."""

    model_config = SettingsConfigDict(env_prefix="NASTAVNIK_", extra="ignore")

    database_url: str = Field(description="postgresql+asyncpg://user:password@host/database")
    database_pool_size: int = Field(default=10, ge=1)
    database_timeout_seconds: float = Field(
        default=60, gt=0, description="a statement without an answer for so long is given up"
    )
    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    kafka_idempotence: bool = Field(
        default=True, description="off only for a broker without InitProducerId (demonstration)"
    )
    kafka_partitions: int = Field(
        default=6, ge=1, description="of every topic; fixed when the topics are created"
    )
    kafka_replication_factor: int = Field(default=1, ge=1)
    host: str = "127.0.0.1"
    port: int = 8000
    schema_base_url: str = Field(
        default="http://localhost:8001/schemas",
        description="where ce_dataschema points; every service serves the schemas under /schemas",
    )
    max_body_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    readings_seconds: float = Field(
        default=5, gt=0, description="pause between two looks at what is told to Prometheus"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    kafka_session_timeout_ms: int = Field(default=10_000, ge=1_000)
    kafka_request_timeout_ms: int = Field(
        default=30_000, ge=1_000, description="a request without an answer for so long is given up"
    )
    idempotency_days: int = Field(
        default=7, ge=1, description="for which an answer under an Idempotency-Key is kept"
    )
    rate_per_second: float = Field(
        default=500, ge=0, description="requests of one client, four times as many at once; 0: any"
    )
    request_seconds: float = Field(
        default=120, gt=0, description="until an answer begins; uploads and /admin/ are left out"
    )
    auth: Literal["oidc", "development"] = Field(
        default="oidc", description="development: take tokens signed on this machine"
    )
    auth_issuer: str | None = Field(default=None, description="OpenID provider, as in `iss`")
    auth_audience: str = Field(default="nastavnik", description="what `aud` must contain")
    auth_algorithms: str = Field(
        default="RS256,PS256,ES256,EdDSA", description="allowed ones; asymmetric"
    )
    auth_skew_seconds: float = Field(default=30, ge=0, le=300, description="between clocks")
    auth_grants_claim: str = Field(
        default="nastavnik_grants", description="claim with the list of role and unit"
    )
    auth_keys: Path | None = Field(
        default=None, description="directory of the development key; for development alone"
    )
