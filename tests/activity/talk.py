"""How the tests talk to the service, and look at what it would publish."""

from typing import Any

import asyncpg
import httpx
import msgspec


async def events(connection: asyncpg.Connection, topic: str) -> list[tuple[str, int, str]]:
    """Verb, version and partition key of the events of a topic, in order."""
    rows = await connection.fetch(
        "select headers, partition_key from outbox where topic = $1 order by id",
        f"nastavnik.{topic}",
    )
    found = []
    for row in rows:
        headers = dict(msgspec.json.decode(row["headers"]))
        verb = headers["ce_type"].split(".")[2]
        found.append((verb, int(headers["ce_sequence"]), row["partition_key"]))
    return found


async def values(connection: asyncpg.Connection, topic: str) -> list[Any]:
    """The states that the events of a topic carry, in order; None for a tombstone."""
    rows = await connection.fetch(
        "select value from outbox where topic = $1 order by id", f"nastavnik.{topic}"
    )
    return [row["value"] and msgspec.json.decode(row["value"]) for row in rows]


async def move(client: httpx.AsyncClient, ident: Any, action: str, on: str, **more: Any) -> Any:
    return await client.post(f"/mentorships/{ident}:{action}", json={"on": on, **more})


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


async def batch(
    client: httpx.AsyncClient, bodies: list[Any], path: str = "/sessions:batch"
) -> list[Any]:
    content = b"\n".join(b if isinstance(b, bytes) else msgspec.json.encode(b) for b in bodies)
    answer = await client.post(
        path, content=content, headers={"content-type": "application/x-ndjson"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [msgspec.json.decode(line) for line in answer.content.splitlines()]
