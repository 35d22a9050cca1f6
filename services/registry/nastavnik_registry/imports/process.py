"""Imports, in a process of their own: `python -m nastavnik_registry.imports.process`.

The first line of stdin is the settings, every other the id of a job; a status is the answer: 0 when
the job has ended, one way or another, else it is to be run again. stdin stays open as long as the
service lives: when it closes, this process ends too, and its transaction is rolled back.
"""

import asyncio
import os
import threading
from uuid import UUID

from nastavnik_common import collector, db, logs
from nastavnik_registry.imports.findings import PackageError
from nastavnik_registry.imports.runner import Runner
from nastavnik_registry.settings import RegistrySettings

log = logs.logger(__name__)
AGAIN = "again"


def _transient(error: BaseException) -> bool:
    """Lost connections, deadlocks, twins: another run may well succeed."""
    state = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    lost = isinstance(error, OSError) or getattr(error, "connection_invalidated", False)
    return lost or state[:2] in {"08", "23", "40", "53", "55", "57"}


class Lines:
    """Lines of stdin, read by a thread: their end is noticed even while the loop is busy."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    async def next(self) -> str:
        return await self._queue.get()

    def _read(self) -> None:
        # not sys.stdin: a thread blocked in it would hold its lock when the interpreter ends
        rest = b""
        while chunk := os.read(0, 65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._loop.call_soon_threadsafe(self._queue.put_nowait, line.decode())
        os._exit(0)


async def _run(settings: RegistrySettings, sessions: db.Sessions, ident: UUID) -> int:
    runner = Runner(settings, sessions, ident)
    failure = await _failure(runner)
    if failure == AGAIN:
        return 75
    if failure:
        await runner.fail(failure)
    return 0


async def _failure(runner: Runner) -> str | None:
    """The code of what went wrong, or AGAIN when another run may well succeed."""
    try:
        await runner.run()
    except PackageError as error:
        log.error("import failed", code=error.finding.code)
        return "import.package_unreadable"
    except Exception as error:
        # the type alone: a message may quote a row
        log.error("import failed", error=type(error).__name__)
        return AGAIN if _transient(error) else "import.internal"
    return None


async def _main(answers: int) -> None:
    lines = Lines()
    settings = RegistrySettings.model_validate_json(await lines.next())
    logs.configure(settings, "registry")
    sessions = db.create_sessions(db.create_engine(settings))
    collector.relax()
    while True:
        ident = UUID(await lines.next())
        logs.bind_correlation(str(ident))
        status = await _run(settings, sessions, ident)
        os.write(answers, f"{status}\n".encode())


def main() -> None:
    """Answers go over what was stdout; everything else that is printed, to stderr."""
    answers = os.dup(1)
    os.dup2(2, 1)
    asyncio.run(_main(answers))


if __name__ == "__main__":
    main()
