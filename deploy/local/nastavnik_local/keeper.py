"""One data root, one keeper: whatever it starts ends with it, however it ends."""

import contextlib
import fcntl
import hashlib
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from nastavnik_local.errors import LaunchError
from nastavnik_local.processes import Child, Command, end_all, marked, running
from nastavnik_local.warden import Ward, Warden

# The warden of a killed run stops services, broker and database in this time.
_HANDOVER = 40.0


class RootBusyError(LaunchError):
    """Another run uses this data root. The message is meant for the person at the terminal."""

    def __init__(self, root: Path, owner: str) -> None:
        super().__init__(
            f"{root} is in use by another run ({owner}); stop that, or choose another data root"
        )


class Keeper:
    """Starts processes for one data root. Obtain it with `Keeper.open`."""

    def __init__(self, root: Path, mark: str, warden: Warden) -> None:
        self.root = root
        self._mark = mark
        self._warden = warden
        self._children: list[Child] = []

    @classmethod
    @contextlib.contextmanager
    def open(cls, root: Path) -> Iterator["Keeper"]:
        """Take the data root (`RootBusyError` if another run has it) and leave nothing behind.

        The lock is the kernel's: a killed run cannot leave a stale one.
        """
        root = root.expanduser().resolve()
        logs = root / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        mark = hashlib.sha256(f"{os.getuid()}:{root}".encode()).hexdigest()[:16]
        with _locked(root) as lock:
            end_all(marked(mark))  # left by a run whose warden was killed too
            keeper = cls(root, mark, Warden(mark, logs / "warden.log", lock.fileno()))
            try:
                yield keeper
            finally:
                keeper._close()

    def log(self, name: str) -> Path:
        return self.root / "logs" / f"{name}.log"

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 10.0,
        user: str | None = None,
    ) -> Child:
        """Start a process; its output goes to `logs/<name>.log` under the root."""
        command = Command(name, argv, self.log(name), env or {}, stop_signal, grace, user)
        child = Child.start(command, self._mark, self._forget)
        self._children.append(child)
        self._warden.watch(Ward(child.pid, stop_signal, grace))
        return child

    def _forget(self, pid: int) -> None:
        self._warden.forget(pid)
        self._children = [child for child in self._children if child.pid != pid]

    def _close(self) -> None:
        """Stop in reverse order. A second Ctrl-C leaves the rest to the warden."""
        try:
            for child in reversed(list(self._children)):
                child.stop()
        finally:
            self._warden.close()


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[IO[str]]:
    with (root / "lock").open("a+") as file:
        _lock(root, file)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield file


def _lock(root: Path, file: IO[str]) -> None:
    deadline = time.monotonic() + _HANDOVER
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip()
            if owner and running(int(owner)):
                raise RootBusyError(root, f"pid {owner}") from None
            if time.monotonic() > deadline:
                raise RootBusyError(root, "a killed one that is still being stopped") from None
            time.sleep(0.1)
