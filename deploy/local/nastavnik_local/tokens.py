"""Tokens for this machine: those of the launcher, and the one a command is given."""

import os
from pathlib import Path

from nastavnik_common import auth_development
from nastavnik_common.auth import Role

VARIABLE = "NASTAVNIK_TOKEN"
_LONG = 30 * 24 * 60.0


def keys(root: Path) -> Path:
    """Where the development key of a data directory is."""
    return root / "auth"


def everything(directory: Path, minutes: float = _LONG) -> str:
    """A token with every role for every unit."""
    grants = [(role, None) for role in Role]
    return auth_development.token(directory, grants, subject="launcher", minutes=minutes)


def headers(token: str | None = None) -> dict[str, str]:
    """Of a request: with the token given, or that of the environment."""
    found = token or os.environ.get(VARIABLE)
    return {"authorization": f"Bearer {found}"} if found else {}
