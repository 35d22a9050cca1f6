"""What is generated under docs/: schemas, AsyncAPI, OpenAPI, the catalogue; written and checked."""

import importlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nastavnik_common import contract, contract_page
from nastavnik_common.settings import Settings
from nastavnik_local.catalogue_docs import catalogue_markdown

SERVICES = ("registry", "activity", "metrics")
_NOBODY: dict[str, Any] = {
    "database_url": "postgresql+asyncpg://nobody@localhost/nothing",
    "auth": "oidc",
    "auth_issuer": "https://localhost/nobody",
}


def documents() -> Iterator[tuple[str, dict[str, Any] | str]]:
    """(path under docs/, document): everything that is generated."""
    for name, schema in contract.schemas().items():
        yield f"schemas/{name}", schema
    for event_type, example in contract.examples().items():
        yield f"schemas/examples/{event_type}.json", _in_order(example)
    yield "asyncapi.json", contract.asyncapi()
    yield "events/index.html", contract_page.page(contract.asyncapi())
    for service in SERVICES:
        yield f"openapi/{service}.json", openapi(service)
    yield "catalogue.md", catalogue_markdown()


def openapi(service: str) -> dict[str, Any]:
    """As the running service would serve it; nothing is connected to."""
    app = importlib.import_module(f"nastavnik_{service}.app")
    document: dict[str, Any] = app.create_app(_settings(service)).openapi()
    return document


def _settings(service: str) -> Settings:
    """The service's own settings class where it has one, with a database nobody has."""
    if importlib.util.find_spec(f"nastavnik_{service}.settings") is None:
        return Settings(**_NOBODY)
    module = importlib.import_module(f"nastavnik_{service}.settings")
    own: type[Settings] = getattr(module, f"{service.capitalize()}Settings")
    return own(**_NOBODY)


def write(docs: Path) -> list[Path]:
    """All of them; returns the files that changed, those no longer generated removed."""
    changed = []
    for path in stale(docs):
        changed.append(path)
        path.unlink(missing_ok=True)
    for name, document in documents():
        path = docs / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_bytes(document))
    return changed


def stale(docs: Path) -> list[Path]:
    """Files that are missing, differ from what is generated, or are generated no more."""
    wanted = {docs / name: _bytes(document) for name, document in documents()}
    found = [p for p, content in wanted.items() if not p.exists() or p.read_bytes() != content]
    folders = (docs / "schemas", docs / "schemas" / "examples", docs / "openapi")
    left = [p for folder in folders for p in folder.glob("*.json") if p not in wanted]
    return sorted(found + left)


def _in_order(document: dict[str, Any]) -> str:
    """As written by hand: who it is comes first."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _bytes(document: dict[str, Any] | str) -> bytes:
    if isinstance(document, str):
        return document.encode()
    return (json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()
