"""A consumer ends in bounded time, though tasks of its library do not notice that they should."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from nastavnik_common import kafka
from nastavnik_common.settings import KafkaSettings
from nastavnik_local.servers import LocalServers


@pytest.fixture
async def deaf() -> AsyncIterator[asyncio.Task[None]]:
    """Misses that it is cancelled, once."""

    async def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        await asyncio.sleep(3600)

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    yield task
    task.cancel()


@pytest.mark.parametrize("part", ["_fetcher._fetch_task", "_coordinator._heartbeat_task"])
async def test_a_consumer_stops_though_a_task_of_it_is_deaf(
    servers: LocalServers, monkeypatch: pytest.MonkeyPatch, deaf: asyncio.Task[None], part: str
) -> None:
    monkeypatch.setattr(kafka, "STOP_SECONDS", 0.2)
    settings = KafkaSettings(kafka_bootstrap_servers=servers.kafka.bootstrap)
    consumer = kafka.create_consumer(settings, "deaf")
    await consumer.start()
    owner, name = part.split(".")
    replaced = getattr(getattr(consumer, owner), name)
    setattr(getattr(consumer, owner), name, deaf)
    stopping = asyncio.create_task(kafka.stop(consumer))
    done, _ = await asyncio.wait({stopping}, timeout=20)  # wait_for would cancel, which helps
    assert done
    assert deaf.cancelled()
    assert not consumer._client._conns
    if replaced is not None:
        replaced.cancel()
