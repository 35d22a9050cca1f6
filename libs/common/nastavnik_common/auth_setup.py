"""From settings to a verifier of tokens; what is missing is said when the service starts."""

import httpx

from nastavnik_common import auth_development, logs
from nastavnik_common.auth import Verifier, is_asymmetric
from nastavnik_common.auth_keys import FileKeys, RemoteKeys
from nastavnik_common.settings import Settings

log = logs.logger(__name__)
LOUD = "DEVELOPMENT: tokens signed on this machine are taken. Never do this in production."


class AuthSettingsError(ValueError):
    """The settings do not say whose tokens to take."""


def create_verifier(settings: Settings) -> Verifier:
    """AuthSettingsError when the service must not start with these settings."""
    if settings.auth == "development":
        return _development(settings)
    if not settings.auth_issuer:
        raise AuthSettingsError(
            "NASTAVNIK_AUTH_ISSUER is not set: name the OpenID provider whose tokens to take, "
            "or set NASTAVNIK_AUTH=development on a machine of your own."
        )
    algorithms = frozenset(settings.auth_algorithms.replace(" ", "").split(","))
    if wrong := sorted(a for a in algorithms if not is_asymmetric(a)):
        raise AuthSettingsError(f"NASTAVNIK_AUTH_ALGORITHMS: not asymmetric: {', '.join(wrong)}")
    issuer = settings.auth_issuer
    if not issuer.startswith(("https://", "http://")):
        raise AuthSettingsError("NASTAVNIK_AUTH_ISSUER is not an HTTP address.")
    return Verifier(
        keys=RemoteKeys(issuer, lambda: httpx.AsyncClient(timeout=5)),
        issuer=issuer,
        audience=settings.auth_audience,
        algorithms=algorithms,
        skew_seconds=settings.auth_skew_seconds,
        grants_claim=settings.auth_grants_claim,
    )


def _development(settings: Settings) -> Verifier:
    if settings.auth_keys is None:
        raise AuthSettingsError(
            "NASTAVNIK_AUTH=development needs NASTAVNIK_AUTH_KEYS, the directory with the key "
            "that `nastavnik token` signs with."
        )
    log.warning(LOUD)
    return Verifier(
        keys=FileKeys(auth_development.key_set(settings.auth_keys)),
        issuer=auth_development.ISSUER,
        audience=auth_development.AUDIENCE,
        algorithms=frozenset([auth_development.ALGORITHM]),
        skew_seconds=settings.auth_skew_seconds,
        grants_claim=settings.auth_grants_claim,
    )
