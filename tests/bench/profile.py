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

_LINES = 30


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
    options = ["--rate", "100", "--format", "raw", "--subprocesses", "--duration", "86400"]
    return subprocess.Popen(
        [program, "record", *options, "--output", str(stacks), "--pid", str(pid)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def summary(stacks: Path) -> str:
    """Shares of the samples by function: alone, and our own functions with all they call. What
    waits takes no samples; what almost every sample is within tells nothing and is left out."""
    alone: Counter[str] = Counter()
    within: Counter[str] = Counter()
    total = 0
    for line in stacks.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [_function(frame) for frame in stack.split(";")]
        total += int(count)
        alone[frames[-1]] += int(count)
        for frame in {frame for frame in frames if "(nastavnik_" in frame}:
            within[frame] += int(count)
    parts = [f"{total} samples"]
    for title, found in (("alone", alone), ("our functions with what they call", within)):
        telling = [(name, n / total) for name, n in found.most_common() if n < 0.7 * total]
        parts += [title, *(f"{100 * share:6.1f} %  {name}" for name, share in telling[:_LINES])]
    return "\n".join(parts) + "\n"


def _function(frame: str) -> str:
    """A frame without its line number."""
    name, _, place = frame.partition(" (")
    place = place.rstrip(")")
    return f"{name} ({place.rpartition(':')[0] or place})"
