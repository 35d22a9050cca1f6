"""From a session logged to the figure that counts it: read over HTTP, and heard on the stream.

Sessions come one at a time, a random while apart, so that they meet every phase of the pauses the
services make. Each is the first meeting of a pair and so moves the figure of one school.
"""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from nastavnik_common import db
from nastavnik_common.clock import label
from nastavnik_local.scenario_api import Api
from tests.bench import region
from tests.bench.harness import Row, percentile, until
from tests.bench.region import Pair, Pupils
from tests.bench.stage import Stage

INDICATOR = "coverage.students"
_APART = 0.3  # seconds at most from one figure to the next session
_PATIENCE = 30.0
_WARM = 10
_TOPIC = "bench.floor"
Seen = Callable[[Pair], Awaitable[None]]


class Took(NamedTuple):
    """Milliseconds since the request was sent."""

    answered: float
    seen: float


async def run(stage: Stage) -> list[Row]:
    count = 20 if stage.quick else 200
    async with stage.connect() as api:
        pupils = await region.settle_in(stage, api)
        pairs = await region.form(api, stage, pupils, 2 * (count + _WARM))
        reader = Reader(api, pupils)
        polled = await _measure(api, pupils, pairs[::2], reader.changed, reader.now)
        async with listening(api) as listener:
            heard = await _measure(api, pupils, pairs[1::2], listener.heard, listener.forget)
    floor = await _floor(stage, count)
    return [
        *_rows("logged → readable (GET)", [t.seen for t in polled], floor),
        *_rows("logged → heard (SSE)", [t.seen for t in heard], floor),
        *_rows("of it, POST /sessions answered", [t.answered for t in polled + heard]),
        *_rows("of it, one GET of the figure", reader.spent),
    ]


def _rows(name: str, values: list[float], floor: list[float] | None = None) -> list[Row]:
    what = "commit, produce, consume, commit"
    return [
        Row(
            f"{name}, {title}",
            percentile(values, share),
            "ms",
            percentile(floor, share) if floor else None,
            f"{what}, {title}" if floor else "",
        )
        for title, share in (("p50", 0.5), ("p99", 0.99))
    ]


async def _measure(
    api: Api, pupils: Pupils, pairs: list[Pair], seen: Seen, prepare: Seen
) -> list[Took]:
    """Log one session of each pair and wait until its figure was seen. The first ones warm up."""
    dice, found = random.Random(2), []
    client = api.client("activity")
    for pair in pairs:
        await prepare(pair)
        await asyncio.sleep(dice.uniform(0, _APART))
        body = region.session(pair, pupils.moment(0))
        began = time.perf_counter()
        answer = await client.post("/sessions", json=body)
        answered = time.perf_counter()
        if answer.status_code != httpx.codes.CREATED:
            raise RuntimeError(f"POST /sessions: {answer.status_code} {answer.text[:300]}")
        async with asyncio.timeout(_PATIENCE):
            await seen(pair)
        ended = time.perf_counter()
        found.append(Took((answered - began) * 1000, (ended - began) * 1000))
    return found[_WARM:]


class Reader:
    """Asks for the figure of a school over and over."""

    def __init__(self, api: Api, pupils: Pupils) -> None:
        self._client = api.client("metrics")
        self._year = label(pupils.region.calendar.year)
        self._before = 0
        self.spent: list[float] = []

    async def now(self, pair: Pair) -> None:
        self._before = await self._numerator(pair)

    async def changed(self, pair: Pair) -> None:
        async def moved() -> bool:
            return await self._numerator(pair) != self._before

        await until(moved, pause=0.001)

    async def _numerator(self, pair: Pair) -> int:
        began = time.perf_counter()
        query = {"unit": pair.school, "school_year": self._year}
        answer = await self._client.get(f"/indicators/{INDICATOR}/values", params=query)
        answer.raise_for_status()
        self.spent.append((time.perf_counter() - began) * 1000)
        return int(answer.json()["items"][0]["numerator"])


class Listener:
    """Hears the live stream; `heard` returns with the next value of the pair's school."""

    def __init__(self) -> None:
        self._values: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def read(self, answer: httpx.Response) -> None:
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                self._values.put_nowait(json.loads(line.removeprefix("data: ")))

    async def forget(self, pair: Pair) -> None:
        while not self._values.empty():
            self._values.get_nowait()

    async def heard(self, pair: Pair) -> None:
        while True:
            value = await self._values.get()
            if value["unit_id"] == pair.school and value["form"] == "all":
                return


@contextlib.asynccontextmanager
async def listening(api: Api) -> AsyncIterator[Listener]:
    listener = Listener()
    query = {"indicator": INDICATOR}
    async with api.client("metrics").stream("GET", "/stream", params=query) as answer:
        task = asyncio.create_task(listener.read(answer))
        try:
            yield listener
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _floor(stage: Stage, count: int) -> list[float]:
    """The least a pipeline with an outbox must do, in ms: a commit, a record acknowledged by all
    replicas and consumed, a second commit."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stage.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(_TOPIC, 1, 1)])
    await admin.close()
    idempotent = stage.settings("activity").kafka_idempotence
    producer = AIOKafkaProducer(
        bootstrap_servers=stage.bootstrap, acks="all", enable_idempotence=idempotent
    )
    consumer = AIOKafkaConsumer(_TOPIC, bootstrap_servers=stage.bootstrap, group_id=None)
    source, sink = [await db.connect(stage.databases[name]) for name in ("activity", "metrics")]
    for connection in (source, sink):
        await connection.execute("create table bench_floor (id int primary key, value bytea)")
    dice, found = random.Random(4), []
    async with producer, consumer:
        await consumer.seek_to_end()
        for number in range(count + _WARM):
            await asyncio.sleep(dice.uniform(0, _APART / 3))  # as the sessions: nothing is hot
            value = b"x" * 400  # as long as a session's event
            began = time.perf_counter()
            await source.execute("insert into bench_floor values ($1, $2)", number, value)
            await producer.send_and_wait(_TOPIC, value)
            while not await consumer.getmany(timeout_ms=1000):
                pass
            await sink.execute("insert into bench_floor values ($1, $2)", number, value)
            found.append((time.perf_counter() - began) * 1000)
    for connection in (source, sink):
        await connection.execute("drop table bench_floor")
        await connection.close()
    return found[_WARM:]
