"""Background tasks of a process: started together, stopped together, never silently dead."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any

from nastavnik_common import logs

log = logs.logger(__name__)
GRACE_SECONDS = 5.0
AGAIN_SECONDS = 0.5
End = Callable[[], Awaitable[None]]


@contextlib.asynccontextmanager
async def running(
    *parts: Coroutine[Any, Any, None], ends: Sequence[End] = ()
) -> AsyncIterator[None]:
    """Run the coroutines while the block does. They are meant to run for ever: one that ends by
    itself takes the process down, for its orchestrator to start again. Before they are cancelled
    the `ends` are awaited, for some seconds: they let what has begun be finished."""
    tasks = [asyncio.create_task(part) for part in parts]
    for task in tasks:
        task.add_done_callback(_ended)
    try:
        yield
    finally:
        for task in tasks:
            task.remove_done_callback(_ended)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await asyncio.gather(*(end() for end in ends), return_exceptions=True)
        await _cancelled(tasks)


async def _cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Ask until all have ended: a driver that is cancelled may raise an error of its own, which a
    loop that is meant to survive errors takes for just another."""
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=AGAIN_SECONDS)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # has been seen


failed = False
"""Whether a background task ended by itself; the process then exits with 1."""


def _ended(task: asyncio.Task[None]) -> None:
    global failed  # noqa: PLW0603 -- of the process, and read when it exits
    if not task.cancelled():
        log.critical("a background task ended, stopping", exc_info=task.exception())
        failed = True
        os.kill(os.getpid(), signal.SIGTERM)
