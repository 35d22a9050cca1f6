"""The projector at an even pace: from the moment an event is due to the commit that counts it."""

import asyncio
import multiprocessing
import random
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from typing import Any

import msgspec

from nastavnik_common import db, kafka
from nastavnik_common.events import SESSION
from nastavnik_common.events.activity import Attendance, MentorshipState
from nastavnik_metrics.folding import CELLS_CHANNEL
from nastavnik_metrics.projector import Projector
from nastavnik_metrics.settings import MetricsSettings
from tests.bench.harness import Row, percentile, until
from tests.bench.projecting import projecting, send
from tests.metrics.world import meeting, record

Place = tuple[int, int]  # partition, offset


async def run(settings: MetricsSettings, states: list[Any], rate: int, seconds: int) -> list[Row]:
    warm = rate
    records = _sessions(states, rate, rate * seconds + warm)
    watch = Watch(await db.connect(settings.database_url))
    await watch.start()
    async with projecting(settings) as projector:
        await until(lambda: _ready(projector), pause=0.05)
        due = await _send(settings, records, rate)
        ends = dict(sorted(due))
        await until(lambda: watch.covers(ends), pause=0.02)
    await watch.stop()
    folded = watch.latencies(due)
    floor = await _floor(settings, records, rate)
    return [
        Row(
            f"produced → counted at {rate:,} events/s, {title}",
            percentile(folded, share),
            "ms",
            percentile(floor, share),
            f"getmany and one commit, {title}",
        )
        for title, share in (("p50", 0.5), ("p99", 0.99))
    ]


def _sessions(states: list[Any], rate: int, count: int) -> list[Any]:
    """Records of new sessions of the world's pairs, everybody present."""
    pairs = [state for state in states if isinstance(state, MentorshipState)]
    dice, first, found = random.Random(3), date(2026, 9, 1), []
    for number in range(count):
        pair = dice.choice(pairs)
        present = tuple(
            Attendance(participant_id=m.participant_id, attended=True) for m in pair.members
        )
        day = first + timedelta(days=dice.randrange(80))
        held = meeting(f"paced {rate} {number}", "", day=day)
        found.append(
            record(msgspec.structs.replace(held, mentorship_id=pair.id, attendance=present))
        )
    return found


async def _ready(projector: Projector) -> bool:
    """Whether it has read all there is."""
    try:
        await projector.check()
    except RuntimeError:
        return False
    return bool(lags := projector.lags()) and not any(lags.values())


async def _send(settings: MetricsSettings, records: list[Any], rate: int) -> dict[Place, float]:
    """Send at the rate, from a process of its own: what sends must not slow down what reads. Where
    each record lies in the log → when it was due (processes have one clock), but for the first
    second's, which warm up."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as sender:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(sender, sending, settings, records, rate)
    return dict(found[rate:])


def sending(settings: MetricsSettings, records: list[Any], rate: int) -> list[tuple[Place, float]]:
    return asyncio.run(_sent(settings, records, rate))


async def _sent(
    settings: MetricsSettings, records: list[Any], rate: int
) -> list[tuple[Place, float]]:
    due: list[tuple[float, Any]] = []
    async with kafka.create_producer(settings, "bench") as producer:
        began = time.perf_counter()
        for number, one in enumerate(records):
            moment = began + number / rate
            if (ahead := moment - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            due.append((moment, await send(producer, settings, one)))
        places = await asyncio.gather(*(future for _, future in due))
    return [
        ((place.partition, place.offset), moment)
        for place, (moment, _) in zip(places, due, strict=True)
    ]


class Watch:
    """Notes after every commit how far the figures are."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._woken = asyncio.Event()
        self._seen: list[tuple[float, dict[int, int]]] = []

    async def start(self) -> None:
        await self._connection.add_listener(CELLS_CHANNEL, lambda *_: self._woken.set())
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._connection.close()

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            rows = await self._connection.fetch(
                "select partition, next_offset from stream_position where topic = $1", SESSION.topic
            )
            self._seen.append((time.perf_counter(), dict(map(tuple, rows))))

    async def covers(self, ends: dict[int, int]) -> bool:
        """Whether the last offsets of all partitions are in the figures."""
        last = self._seen[-1][1] if self._seen else {}
        return all(offset < last.get(partition, 0) for partition, offset in ends.items())

    def latencies(self, due: dict[Place, float]) -> list[float]:
        """Milliseconds of each record: until the first look at which it was counted."""
        found = []
        by_partition: dict[int, list[tuple[int, float]]] = {}
        for (partition, offset), moment in sorted(due.items()):
            by_partition.setdefault(partition, []).append((offset, moment))
        for partition, records in by_partition.items():
            looks = iter(self._seen)
            at, positions = next(looks)
            for offset, moment in records:
                while positions.get(partition, 0) <= offset:
                    at, positions = next(looks)
                found.append((at - moment) * 1000)
        return found


async def _floor(settings: MetricsSettings, records: list[Any], rate: int) -> list[float]:
    """The same records at the same rate, read and answered with one small commit a poll."""
    connection = await db.connect(settings.database_url)
    await connection.execute("create table bench_floor (id serial primary key)")
    consumer = kafka.create_consumer(settings, None, SESSION.topic)
    done: dict[Place, float] = {}

    async def work() -> None:
        while True:
            polled = await consumer.getmany(timeout_ms=100, max_records=settings.batch_records)
            if polled:
                await connection.execute("insert into bench_floor default values")
                now = time.perf_counter()
                for found in polled.values():
                    done.update({(one.partition, one.offset): now for one in found})

    async with consumer:
        await consumer.seek_to_end()
        task = asyncio.create_task(work())
        due = await _send(settings, records, rate)

        async def all_done() -> bool:
            return due.keys() <= done.keys()

        await until(all_done, pause=0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await connection.execute("drop table bench_floor")
    await connection.close()
    return [(done[place] - moment) * 1000 for place, moment in due.items()]
