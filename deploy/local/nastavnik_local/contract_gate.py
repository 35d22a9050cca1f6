"""What keeps the event contract: nothing that was released breaks, and every change is told of.

`docs/schemas/released` holds the schemas of the last release, `docs/events/CHANGELOG.md` what has
changed since under "Unreleased".
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nastavnik_common import compatibility, contract
from nastavnik_common.events import KINDS

_PROSE = {"title", "description", "examples"}


def objections(docs: Path) -> list[str]:
    """Why this contract may not be published; empty: it may."""
    return [*_broken(docs / "schemas" / "released"), *_untold(docs)]


def _broken(released: Path) -> Iterator[str]:
    current = contract.schemas()
    for path in sorted(released.glob("*.json")):
        if path.name not in current:
            yield f"{path.stem}: was released and is gone"
            continue
        for change in compatibility.breaking(_read(path), _plain(current[path.name])):
            yield f"{path.stem}: {change}; this needs a new version of the type"


def _untold(docs: Path) -> Iterator[str]:
    """Kinds that differ from the release and are not named in the changelog."""
    told = _unreleased(docs / "events" / "CHANGELOG.md")
    for kind in KINDS:
        path = docs / "schemas" / "released" / kind.schema_name
        old = _read(path) if path.exists() else None
        changed = _structure(old) != _structure(_plain(contract.schema(kind)))
        if changed and f"`{kind.name}`" not in told:
            yield f"{kind.name}: changed since the release, and the changelog does not say how"


def _unreleased(changelog: Path) -> str:
    text = changelog.read_text() if changelog.exists() else ""
    found = re.search(r"^## Unreleased$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def _structure(node: Any, *, names: bool = False) -> Any:
    """Without what is there for human readers; a field may well be called `description`."""
    if isinstance(node, dict):
        return {
            key: _structure(value, names=key in ("properties", "$defs"))
            for key, value in node.items()
            if names or key not in _PROSE
        }
    return [_structure(item) for item in node] if isinstance(node, list) else node


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """As a reader of the file gets it: lists, no tuples."""
    document: dict[str, Any] = json.loads(json.dumps(schema))
    return document
