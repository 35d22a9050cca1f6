"""Where the time goes: py-spy on this process and on the services while a benchmark runs.

py-spy is no dependency of the project: install it where you like and have it on the PATH.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

_LINES = 25


class NoProfilerError(RuntimeError):
    """There is no py-spy on the PATH."""


@contextlib.contextmanager
def profiled(folder: Path | None, benchmark: str, pids: Mapping[str, int]) -> Iterator[None]:
    """Sample while the block runs; stacks and a summary of each process are left in the folder."""
    if folder is None:
        yield
        return
    program = shutil.which("py-spy")
    if program is None:
        raise NoProfilerError("--profile needs py-spy on the PATH")
    folder.mkdir(parents=True, exist_ok=True)
    samplers = {
        folder / f"{benchmark}-{name}.txt": _start(program, pid, folder / f"{benchmark}-{name}.txt")
        for name, pid in {"bench": os.getpid(), **pids}.items()
    }
    try:
        yield
    finally:
        for stacks, sampler in samplers.items():
            sampler.send_signal(signal.SIGINT)
            sampler.wait(60)
            if stacks.exists():
                stacks.with_suffix(".top").write_text(summary(stacks))


def _start(program: str, pid: int, stacks: Path) -> subprocess.Popen[bytes]:
    options = ["--rate", "200", "--format", "raw", "--subprocesses", "--duration", "86400"]
    return subprocess.Popen(
        [program, "record", *options, "--output", str(stacks), "--pid", str(pid)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def summary(stacks: Path) -> str:
    """Samples by function: alone, and with all it calls. Only samples on the CPU are there."""
    alone: Counter[str] = Counter()
    within: Counter[str] = Counter()
    total = 0
    for line in stacks.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [_function(frame) for frame in stack.split(";")]
        total += int(count)
        alone[frames[-1]] += int(count)
        for frame in set(frames):
            within[frame] += int(count)
    parts = [f"{total} samples"]
    for title, found in (("alone", alone), ("with what it calls", within)):
        parts.append(title)
        parts += [f"{100 * n / total:6.1f} %  {name}" for name, n in found.most_common(_LINES)]
    return "\n".join(parts) + "\n"


def _function(frame: str) -> str:
    """A frame without its line number."""
    name, _, place = frame.partition(" (")
    return f"{name} ({place.rstrip(')').rpartition(':')[0] or place.rstrip(')')})"
