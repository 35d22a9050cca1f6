"""Sources to pull from: a TOML file of the operator's, so that no request can name a server to
call or a secret to send there.

    [sources.sgo]
    base_url = "https://sgo.example.org/ims/oneroster/rostering/v1p2"
    token_url = "https://sgo.example.org/oauth2/token"
    client_id = "nastavnik"
    client_secret = "env:SGO_CLIENT_SECRET"      # or "file:/run/secrets/sgo"
    interval_seconds = 3600
"""

import os
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from nastavnik_registry.bodies.base import SOURCE, Body
from nastavnik_registry.pulling.errors import PullError

_SCOPE = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
_SCOPES = [f"{_SCOPE}roster-core.readonly", f"{_SCOPE}roster-demographics.readonly"]
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_Secret = Annotated[str, StringConstraints(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)$")]


class PullSource(Body):
    """One provider. Tokens come from `token_url`, or there is one that lasts, `token`, or none."""

    base_url: str
    token_url: str | None = None
    client_id: str = ""
    client_secret: _Secret | None = None
    token: _Secret | None = None
    scopes: list[str] = _SCOPES
    interval_seconds: int = Field(default=3600, ge=1, description="between two pulls")
    full_every_seconds: int = Field(
        default=7 * 86400, ge=1, description="between two pulls of everything; else what changed"
    )
    overlap_seconds: int = Field(
        default=600,
        ge=0,
        description="read again before the last pull: records that were committed late",
    )
    page: int = Field(default=1000, ge=2, le=10_000)
    under: UUID | None = Field(default=None, description="unit for units without a parent")
    demographics: bool = Field(default=True, description="birth dates too")
    attempts: int = Field(default=8, ge=1, description="of one request")
    backoff_seconds: float = Field(default=1.0, ge=0)
    allow_http: bool = Field(default=False, description="without TLS to hosts other than this")

    @property
    def overlap(self) -> timedelta:
        return timedelta(seconds=self.overlap_seconds)

    @property
    def collections(self) -> tuple[str, ...]:
        """In the order of reading: what is referred to comes after what refers to it, so that
        whoever appears meanwhile brings nothing that is not there."""
        first = ("demographics",) if self.demographics else ()
        return (*first, "users", "orgs")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for url in filter(None, (self.base_url, self.token_url)):
            parts = urlsplit(url)
            plain = self.allow_http or parts.hostname in _LOOPBACK
            if parts.scheme != "https" and not (parts.scheme == "http" and plain):
                raise ValueError("URLs are https, or http with allow_http")
        if self.token_url and not (self.client_id and self.client_secret):
            raise ValueError("token_url needs client_id and client_secret")
        if self.token_url and self.token:
            raise ValueError("token_url and token exclude each other")
        return self


def secret(place: str) -> str:
    """What `env:NAME` or `file:/path` stands for: read when it is needed, so that it can be
    replaced while the service runs.

    Raises PullError when it is not there.
    """
    kind, _, name = place.partition(":")
    try:
        return os.environ[name] if kind == "env" else Path(name).read_text().strip()
    except (OSError, KeyError):
        raise PullError("pull.secret_missing") from None


Name = Annotated[str, StringConstraints(pattern=SOURCE, max_length=63)]


class _File(Body):
    sources: dict[Name, PullSource] = Field(default={})


def load(path: Path | None) -> dict[str, PullSource]:
    """name → source; nothing when there is no file. Raises ValueError for an unsound one."""
    if path is None:
        return {}
    return dict(_File.model_validate(tomllib.loads(path.read_text())).sources)
