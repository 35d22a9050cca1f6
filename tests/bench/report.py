"""docs/benchmarks.md, written from a run."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import psutil

from tests.bench.harness import Row, markdown
from tests.bench.limits import LIMITS

_HERE = Path(__file__).parents[2]
_PAGE = _HERE / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks

Written by `make bench ARGS=--write`. Everything runs on one machine: PostgreSQL with `fsync`, Kafka
with `acks=all`, the services as processes of their own. Each figure stands beside a floor: the
least work that could do the job with the same servers, measured in the same run. Absolute numbers
tell of the machine; the ratios tell of the program. For rates 1.00 is the best that can be hoped
for, and lower is worse; for times and memory higher is worse.
"""
TITLES = {
    "latency": "From a session to the figure",
    "batch": "Sessions in batches",
    "roster": "Roster imports",
    "relay": "The relay",
    "catch_up": "The projector",
    "region": "A whole region",
    "growth": "Growth",
    "memory": "Memory",
}


def write(found: Mapping[str, Sequence[Row]], flavour: str) -> None:
    parts = [_HEAD, machine(flavour) + "\n"]
    for name, rows in found.items():
        parts.append(f"## {TITLES[name]}\n\n{markdown(rows)}\n{LIMITS[name].strip()}\n")
    _PAGE.write_text("\n".join(parts))


def machine(flavour: str) -> str:
    """One line: what it was measured on."""
    cpus, memory = os.cpu_count(), psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[0]
    libraries = " ".join(
        f"{n} {version(n)}" for n in ("fastapi", "sqlalchemy", "asyncpg", "aiokafka")
    )
    return (
        f"Machine: {_processor()}, {cpus} CPUs, {memory:.0f} GiB; {platform.system()} "
        f"{platform.release()}; Python {platform.python_version()}; Kafka: {flavour}; {libraries}; "
        f"revision {_revision()}; load {load:.1f} at the end."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _revision() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=_HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"
