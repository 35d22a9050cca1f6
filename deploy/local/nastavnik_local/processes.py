"""Child processes: started in a group of their own, stopped with all their descendants."""

import contextlib
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

# Every child carries it in its environment, with the identity of its data root: so descendants
# can be found even where nobody had the time to write their pid down.
MARK = "NASTAVNIK_RUN"

_LOG_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True)
class Command:
    """What to run. `stop_signal` asks it to end; after `grace` seconds it is killed."""

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    user: str | None = None


class Child:
    """A running process of ours and its descendants."""

    def __init__(
        self,
        command: Command,
        popen: subprocess.Popen[bytes],
        on_end: Callable[[int], None],
        log_start: int,
    ) -> None:
        self.command = command
        self._popen = popen
        self._on_end = on_end
        self._log_start = log_start
        self.told_to_end = False

    @classmethod
    def start(cls, command: Command, mark: str, on_end: Callable[[int], None]) -> "Child":
        """Start in a process group of its own, so that Ctrl-C reaches only us.

        Output is appended to the command's log; `on_end` gets the pid once it has ended.
        """
        _roll(command.log)
        with command.log.open("ab") as log:
            log_start = log.tell()
            popen = subprocess.Popen(
                list(command.argv),
                env={**os.environ, **command.env, MARK: mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                user=command.user,
                group=pwd.getpwnam(command.user).pw_gid if command.user else None,
                extra_groups=[] if command.user else None,
            )
        return cls(command, popen, on_end, log_start)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative is the signal that ended it."""
        if self._popen.returncode is None and self._popen.poll() is not None:
            self._on_end(self.pid)
        return self._popen.returncode

    def wait(self, timeout: float) -> int:
        self._popen.wait(timeout)
        self._on_end(self.pid)
        return self._popen.returncode

    def stop(self) -> None:
        """Ask, wait, kill; returns when nothing of it is left. Fine to call again."""
        self.told_to_end = True
        if self.exit_code is None:
            stop_tree(self.pid, self.command.stop_signal, self.command.grace)
            self.wait(5.0)

    def kill(self) -> None:
        """What a power cut does to it: SIGKILL for the process and its descendants."""
        self.told_to_end = True
        if self.exit_code is None:
            stop_tree(self.pid, signal.SIGKILL, 5.0)
            self.wait(5.0)

    def pause(self) -> None:
        """Freeze it and its descendants: connections stay open and nobody answers."""
        _send(family(self.pid), signal.SIGSTOP)

    def resume(self) -> None:
        _send(family(self.pid), signal.SIGCONT)

    def log_tail(self, lines: int = 20) -> str:
        """The last lines this process has logged, of at most 64 KiB."""
        with self.command.log.open("rb") as file:
            file.seek(max(self._log_start, self.command.log.stat().st_size - 65536))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def alive(process: psutil.Process) -> bool:
    """Still the same process, and not a zombie waiting to be reaped."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def running(pid: int) -> bool:
    """Whether some process has this pid and is not a zombie."""
    try:
        return alive(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def family(pid: int) -> list[psutil.Process]:
    """The process and its descendants, eldest first."""
    try:
        leader = psutil.Process(pid)
        return [leader, *leader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def marked(mark: str) -> list[psutil.Process]:
    """The processes, other than this one, that were started with `mark` in their environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                found.append(process)
    return found


def stop_tree(pid: int, stop_signal: signal.Signals, grace: float) -> None:
    """Signal the leader of a process group, wait for its whole family, kill what is left.

    Only the leader is asked: PostgreSQL and servers with workers end their children in order.
    """
    tree = family(pid)
    _send(tree if stop_signal == signal.SIGKILL else tree[:1], stop_signal)
    _send(tree, signal.SIGCONT)  # a paused process would never see the request
    if left := wait_gone(tree, grace):
        _send([*left, *family(pid)], signal.SIGKILL)
        wait_gone(left, 5.0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def end_all(processes: Iterable[psutil.Process]) -> None:
    """SIGKILL to processes nobody leads any more."""
    left = list(processes)
    _send(left, signal.SIGKILL)
    wait_gone(left, 5.0)


def wait_gone(processes: Iterable[psutil.Process], timeout: float) -> list[psutil.Process]:
    """Wait until they have ended; those that have not after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while left := [process for process in processes if alive(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return left


def _send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process.send_signal(number)


def _roll(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
