"""Processes that run imports beside the service, kept warm from one import to the next."""

import asyncio
import contextlib
import sys
from uuid import UUID

from nastavnik_registry.settings import RegistrySettings

MODULE = "nastavnik_registry.imports.process"


class Worker:
    """One process: ids of jobs go in over stdin, a status comes back for each over stdout.

    It ends when its stdin closes, so also when this service is killed.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, settings: RegistrySettings) -> "Worker":
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", MODULE),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=1,  # its log lines stand among ours
        )
        worker = cls(process)
        await worker._say(settings.model_dump_json())
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    async def run(self, ident: UUID) -> bool:
        """Run a job. False: it has not ended, and is to be run again."""
        await self._say(str(ident))
        assert self._process.stdout is not None
        return await self._process.stdout.readline() == b"0\n"

    async def stop(self) -> None:
        """Kill the process: what it was doing is rolled back."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # then there will be no answer
            self._process.stdin.write(line.encode() + b"\n")
            await self._process.stdin.drain()


class Workers:
    """The idle ones."""

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings
        self._idle: list[Worker] = []

    async def run(self, ident: UUID) -> bool:
        """Run a job on an idle worker or a new one. One that failed or was cut short is stopped."""
        worker = self._idle.pop() if self._idle else await Worker.start(self._settings)
        ended = False
        try:
            ended = await worker.run(ident)
        finally:
            if ended:
                self._idle.append(worker)
            else:
                await worker.stop()
        return ended

    async def stop(self) -> None:
        while self._idle:
            await self._idle.pop().stop()
