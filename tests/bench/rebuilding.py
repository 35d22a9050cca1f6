"""A rebuild in a metrics service, asked for over HTTP, while a client reads figures from it."""

import asyncio
import contextlib
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx

from nastavnik_local import tokens
from nastavnik_local.ports import free_port
from nastavnik_local.supervisor import Service, supervisor
from nastavnik_metrics.settings import MetricsSettings
from tests.bench.fresh import Log
from tests.bench.harness import Row, percentile, until
from tests.bench.stage import Stage
from tests.metrics.world import ident

_APART = 0.02  # seconds from one answer to the next question
_CALM = 10.0  # seconds of reading with nothing else to do
_FIGURE = "/indicators/coverage.students/values"
_SCHOOLS = 1_000


async def run(stage: Stage, log: Log, copied: float) -> list[Row]:
    async with _service(stage, log.settings) as client:
        calm = await _read(client, _CALM / (5 if stage.quick else 1))
        reading = asyncio.create_task(_read(client, None))
        try:
            seconds, records = await _rebuilt(client)
        finally:
            reading.cancel()
        busy = await reading
    name, rate = "rebuild from the log of the region", records / seconds
    return [
        Row(name, rate, "events/s", copied, "COPY of one row per event"),
        *(
            Row(
                f"one GET of a figure meanwhile, {title}",
                percentile(busy, share),
                "ms",
                percentile(calm, share),
                f"the same at rest, {title}",
            )
            for title, share in (("p50", 0.5), ("p99", 0.99))
        ),
    ]


@contextlib.asynccontextmanager
async def _service(stage: Stage, settings: MetricsSettings) -> AsyncIterator[httpx.AsyncClient]:
    """A metrics service on the region's database, at rest."""
    assert stage.servers is not None
    env = {
        "NASTAVNIK_DATABASE_URL": settings.database_url,
        "NASTAVNIK_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "NASTAVNIK_KAFKA_IDEMPOTENCE": str(settings.kafka_idempotence).lower(),
        "NASTAVNIK_AUTH": "development",
        "NASTAVNIK_AUTH_KEYS": os.environ["NASTAVNIK_AUTH_KEYS"],
        "NASTAVNIK_PORT": str(port := free_port()),
    }
    program = [sys.executable, "-m", "nastavnik_metrics", "serve"]
    with supervisor(stage.servers, lambda _: None) as up:
        service = Service("metrics", program, port, env)
        up.start([service])
        async with httpx.AsyncClient(
            base_url=service.url, headers=tokens.headers(), timeout=60, trust_env=False
        ) as client:

            async def rest() -> bool:
                return bool((await _get(client, "/progress"))["lag"] == 0)

            await until(rest, pause=0.2)
            yield client


async def _read(client: httpx.AsyncClient, seconds: float | None) -> list[float]:
    """Milliseconds of each question about a school of its own; without `seconds` until cancelled,
    which ends it with what it has found."""
    dice, found, began = random.Random(5), [], time.perf_counter()
    with contextlib.suppress(asyncio.CancelledError):
        while seconds is None or time.perf_counter() - began < seconds:
            asked = time.perf_counter()
            await _get(client, _FIGURE, unit=str(ident(f"s{dice.randrange(_SCHOOLS)}")))
            found.append((time.perf_counter() - asked) * 1000)
            await asyncio.sleep(_APART)
    return found


async def _rebuilt(client: httpx.AsyncClient) -> tuple[float, int]:
    """Seconds it took by its own clock, and records."""
    (await client.post("/admin/rebuild")).raise_for_status()
    told: dict[str, Any] = {}

    async def ended() -> bool:
        told.update(await _get(client, "/rebuild"))
        return told["ended"] is not None

    await until(ended, pause=0.25)
    if told["state"] != "done":
        raise RuntimeError(f"the rebuild {told['state']}: {told['error']}")
    began, done = (datetime.fromisoformat(told[name]) for name in ("began", "ended"))
    return (done - began).total_seconds(), told["records"]


async def _get(client: httpx.AsyncClient, path: str, **query: str) -> Any:
    answer = await client.get(path, params=query)
    answer.raise_for_status()
    return answer.json()
