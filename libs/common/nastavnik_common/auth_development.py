"""Tokens for development: a key pair of this machine's own, and tokens signed with it.

A service takes them only with ``NASTAVNIK_AUTH=development``, and says so loudly.
"""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from nastavnik_common.auth import EVERYWHERE, Role

ISSUER = "urn:nastavnik:development"
AUDIENCE = "nastavnik"
ALGORITHM = "ES256"
_PRIVATE, _PUBLIC = "signing-key.pem", "jwks.json"


def key_set(directory: Path) -> Path:
    """The file with the public key, made with its private one if they are not there yet."""
    public = directory / _PUBLIC
    if not public.exists():
        directory.mkdir(parents=True, exist_ok=True)
        _make(directory)
    return public


def token(
    directory: Path,
    grants: Iterable[tuple[Role, UUID | None]],
    *,
    subject: str = "developer",
    minutes: float = 60,
    **claims: Any,
) -> str:
    """A signed token. `directory` holds the key; `claims` come on top of the usual ones."""
    document = json.loads(key_set(directory).read_bytes())
    now = int(time.time())
    usual = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "iat": now,
        "nbf": now,
        "exp": now + int(minutes * 60),
        "nastavnik_grants": [
            {"role": str(role), "unit": str(unit) if unit else EVERYWHERE} for role, unit in grants
        ],
    }
    private = (directory / _PRIVATE).read_bytes()
    headers = {"kid": document["keys"][0]["kid"]}
    return jwt.encode({**usual, **claims}, private, ALGORITHM, headers)


def _make(directory: Path) -> None:
    """Whoever is first makes it; the set is put in place last, and whole."""
    made = ec.generate_private_key(ec.SECP256R1())
    private = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with os.fdopen(
        os.open(directory / _PRIVATE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
    ) as file:
        file.write(private)
    public = ECAlgorithm.to_jwk(made.public_key(), as_dict=True)
    document = {
        "keys": [
            {**public, "kid": f"development-{int(time.time())}", "use": "sig", "alg": ALGORITHM}
        ]
    }
    fresh = directory / f".{_PUBLIC}.{os.getpid()}"
    fresh.write_text(json.dumps(document))
    fresh.replace(directory / _PUBLIC)
