"""Tokens of the test run: a development key of its own, and one token that may do everything.

Importing it puts both into the environment, for services and clients that the run starts.
"""

import atexit
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from nastavnik_common import auth_development
from nastavnik_common.auth import Role
from nastavnik_local import tokens


def _directory() -> Path:
    if given := os.environ.get("NASTAVNIK_AUTH_KEYS"):
        return Path(given)
    made = tempfile.mkdtemp(prefix="nastavnik-keys-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)


KEYS = _directory()
os.environ.setdefault("NASTAVNIK_AUTH", "development")
os.environ["NASTAVNIK_AUTH_KEYS"] = str(KEYS)
os.environ[tokens.VARIABLE] = tokens.everything(KEYS)


def actor(subject: str = "launcher") -> str:
    """The opaque id of a subject of these tokens; by default of the one that may do everything."""
    return hashlib.sha256(f"{auth_development.ISSUER}\n{subject}".encode()).hexdigest()[:16]


def allowed() -> dict[str, str]:
    """Headers of a client that may do everything."""
    return tokens.headers()


def headers(role: Role | str, unit: UUID | str | None = None, **claims: Any) -> dict[str, str]:
    """Headers of a client with one role, for the unit and what is below it, or for all."""
    grants = [(Role(role), UUID(str(unit)) if unit else None)]
    return tokens.headers(auth_development.token(KEYS, grants, **claims))
