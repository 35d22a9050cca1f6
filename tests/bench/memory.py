"""Peak memory of each service process after the runs, beside what it took to be ready."""

from pathlib import Path

from nastavnik_local.processes import family
from tests.bench.harness import Row
from tests.bench.stage import Stage

_WORKER = "nastavnik_registry.imports.process"


def peaks(stage: Stage) -> dict[str, float]:
    """Process → the most it ever had resident, in MiB. Linux keeps that number itself."""
    found: dict[str, float] = {}
    for service, pid in stage.pids.items():
        for process in family(pid):
            worker = _WORKER in process.cmdline()
            name = f"{service}, import worker" if worker else service
            found[name] = max(found.get(name, 0.0), peak_of(process.pid))
    return found


def peak_of(pid: int) -> float:
    """The most the process ever had resident, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the system does not tell the peak of a process")


def rows(before: dict[str, float], stage: Stage) -> list[Row]:
    return [
        Row(f"peak memory: {name}", peak, "MiB", before.get(name), "when ready")
        for name, peak in peaks(stage).items()
    ]
