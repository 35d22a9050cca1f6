"""The warden: ends our processes when we no longer can.

A process killed with SIGKILL runs no clean-up. So a second, tiny process holds the reading end of
a pipe whose writing end only we have: whatever ends us closes it, on Linux and macOS alike. It is
told the pid of every child, lives in a session of its own (neither Ctrl-C nor a closed terminal
reaches it), and keeps the lock of the data root until the last process has gone.

    python -m nastavnik_local.warden MARK PARENT_PID    (JSON lines on standard input)
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from nastavnik_local.processes import end_all, marked, stop_tree


@dataclass(frozen=True)
class Ward:
    """A child to be ended, in the reverse order of arrival."""

    pid: int
    stop_signal: int
    grace: float


class Warden:
    """Our end of the pipe."""

    def __init__(self, mark: str, log: Path, keep_open: int) -> None:
        """`keep_open` is a file descriptor the warden holds as long as it lives."""
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "nastavnik_local.warden", mark, str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(keep_open,),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def watch(self, ward: Ward) -> None:
        """Fails if the warden is gone: better no child than one nobody would end."""
        self._tell(asdict(ward))

    def forget(self, pid: int) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._tell({"forget": pid})

    def close(self) -> None:
        """Let it end whatever it still watches; returns when it has."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, message: dict[str, int | float]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()


def main(mark: str, parent: int) -> None:
    """Keep the list up to date until the pipe closes, then end everything on it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    wards: dict[int, Ward] = {}
    for line in _lines(parent):
        message = json.loads(line)
        if "forget" in message:
            wards.pop(message["forget"], None)
        else:
            wards[message["pid"]] = Ward(**message)
    for ward in reversed(wards.values()):
        stop_tree(ward.pid, signal.Signals(ward.stop_signal), ward.grace)
    end_all(marked(mark))


def _lines(parent: int) -> Iterator[bytes]:
    """Whole lines from standard input, until it closes or nothing comes from a dead parent.

    The second case is a pipe that some fork of our parent keeps open.
    """
    rest = b""
    while True:
        if select.select([0], [], [], 1.0)[0]:
            data = os.read(0, 65536)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            yield from lines
        elif os.getppid() != parent:
            return


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
