"""Background tasks end when they are told to."""

import asyncio

from nastavnik_common import tasks


async def test_a_task_that_takes_its_end_for_an_error_ends_all_the_same() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                # what a driver may make of it
                swallowed += 1
                if swallowed > 1:
                    raise

    async with asyncio.timeout(10):
        async with tasks.running(stubborn()):
            await asyncio.sleep(0)
    assert swallowed == 2
