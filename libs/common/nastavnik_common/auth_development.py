"""Tokens for development: a key pair of this machine's own, and tokens signed with it.

A service takes them only with ``NASTAVNIK_AUTH=development``, and says so loudly. Where there is no
`nastavnik token`, in a container say, ``python -m nastavnik_common.auth_development --role …``
prints one.
"""

import argparse
import contextlib
import hashlib
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
    """The file with the public key, made with its private one if they are not there yet. Several
    processes may do it at once."""
    public = directory / _PUBLIC
    if not public.exists():
        directory.mkdir(parents=True, exist_ok=True)
        if not (directory / _PRIVATE).exists():
            _make_private(directory)
        _make_public(directory)
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


def _make_private(directory: Path) -> None:
    """Put in place whole; who comes second keeps what is there."""
    private = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    fresh = directory / f".{_PRIVATE}.{os.getpid()}"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(private)
    with contextlib.suppress(FileExistsError):
        os.link(fresh, directory / _PRIVATE)
    fresh.unlink()


def _make_public(directory: Path) -> None:
    private = serialization.load_pem_private_key((directory / _PRIVATE).read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    key = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    kid = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    document = {"keys": [{**key, "kid": kid, "use": "sig", "alg": ALGORITHM}]}
    fresh = directory / f".{_PUBLIC}.{os.getpid()}"
    fresh.write_text(json.dumps(document))
    fresh.replace(directory / _PUBLIC)


def main() -> None:
    parser = argparse.ArgumentParser(description="Print a token for development.")
    parser.add_argument("--role", action="append", required=True, choices=list(map(str, Role)))
    parser.add_argument("--unit", type=UUID, help="for this unit and all below it; else for all")
    parser.add_argument("--minutes", type=float, default=60)
    given = parser.parse_args()
    directory = Path(os.environ["NASTAVNIK_AUTH_KEYS"])
    grants = [(Role(role), given.unit) for role in given.role]
    print(token(directory, grants, minutes=given.minutes))


if __name__ == "__main__":
    main()
