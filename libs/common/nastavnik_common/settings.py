"""Environment → typed settings. Read once, in a service's composition root."""

import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import make_url

PREFIX = "NASTAVNIK_"


class FilesNamed(PydanticBaseSettingsSource):
    """``NASTAVNIK_X_FILE`` names the file of a value: that is how secrets are mounted."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        named = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        return Path(named).read_text().rstrip("\r\n") if named else None, field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        found = {name: self.get_field_value(field, name)[0] for name, field in fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class KafkaSettings(BaseSettings):
    """How any client of ours reaches Kafka."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: Path | None = Field(
        default=None, description="certificates (PEM) that sign the brokers'; else the system's"
    )
    kafka_idempotence: bool = Field(
        default=True, description="off only for a broker without InitProducerId (demonstration)"
    )
    kafka_partitions: int = Field(
        default=6, ge=1, description="of every topic; fixed when the topics are created"
    )
    kafka_replication_factor: int = Field(default=1, ge=1)
    kafka_session_timeout_ms: int = Field(default=10_000, ge=1_000)
    kafka_request_timeout_ms: int = Field(
        default=30_000, ge=1_000, description="a request without an answer for so long is given up"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, FilesNamed(settings_cls)

    @model_validator(mode="after")
    def _known_to_kafka(self) -> Self:
        if self.kafka_security_protocol.startswith("SASL") and not (
            self.kafka_username and self.kafka_password
        ):
            raise ValueError(f"{self.kafka_security_protocol} needs a username and a password")
        return self


class Settings(KafkaSettings):
    """What every service is configured by; all variables carry the prefix ``NASTAVNIK_``."""

    database_url: str = Field(description="postgresql+asyncpg://user:password@host/database")
    database_password: SecretStr | None = Field(
        default=None, description="put into the URL, of any characters"
    )
    database_pool_size: int = Field(default=10, ge=1)
    database_timeout_seconds: float = Field(
        default=60, gt=0, description="a statement without an answer for so long is given up"
    )
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
    traces_endpoint: str | None = Field(
        default=None, description="OTLP over HTTP; needs the extra `otel` installed"
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
    mentoring_consent: Literal["required", "withdrawable"] = Field(
        default="withdrawable", description="of every member, or of nobody who withdrew it"
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

    @model_validator(mode="after")
    def _password_in_url(self) -> Self:
        if self.database_password is not None:
            url = make_url(self.database_url).set(
                password=self.database_password.get_secret_value()
            )
            self.database_url = url.render_as_string(hide_password=False)
        return self
