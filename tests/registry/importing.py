"""Short ways to import a package and look at what came of it."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

ZIP = {"content-type": "application/zip"}
Import = Callable[..., Awaitable[dict[str, Any]]]


def counts(added: int, changed: int, unchanged: int, vanished: int, **more: int) -> dict[str, int]:
    rest = dict.fromkeys(("moved", "ended", "deleted", "kept"), 0)
    named = {"added": added, "changed": changed, "unchanged": unchanged, "vanished": vanished}
    return named | rest | more


async def resolve(client: httpx.AsyncClient, kind: str, outside: str) -> dict[str, Any]:
    asked = {"source": "sgo", "kind": kind, "ids": [outside]}
    found = (await client.post("/external-ids:resolve", json=asked)).json()["found"]
    answer = await client.get(f"/{kind}s/{found[outside]}")
    record: dict[str, Any] = answer.json()
    return record
