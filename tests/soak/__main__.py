"""`make soak MINUTES=30 SEED=…`: 0 when nothing was lost, counted twice or stayed down."""

import argparse
import asyncio
import secrets
import sys
import tempfile
import traceback
from pathlib import Path

from rich.console import Console
from rich.table import Table

from nastavnik_local.supervisor import sigterm_as_exit
from tests.faults.wired import REPLICAS, WiredSystem, wired
from tests.soak.run import Outcome, soak
from tests.soak.trouble import plan

_KEPT_LOG = 200


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--workers", type=int, default=4)
    given = parser.parse_args()
    console = Console()
    console.print(f"seed {given.seed}: the same one makes the same plan of faults", style="bold")
    with (
        sigterm_as_exit(),
        tempfile.TemporaryDirectory(prefix="nastavnik-") as root,
        wired(Path(root)) as system,
    ):
        system.start()
        try:
            outcome = asyncio.run(_soak(system, given))
        except (Exception, ExceptionGroup):
            traceback.print_exc()
            _ends_of_logs(system)
            return 1
    _report(console, outcome)
    return 0


async def _soak(system: WiredSystem, given: argparse.Namespace) -> Outcome:
    return await soak(
        system,
        plan(given.seed, REPLICAS),
        seconds=given.minutes * 60,
        workers=given.workers,
        seed=given.seed,
        pause=5.0,
        say=lambda line: print(line, flush=True),
    )


def _ends_of_logs(system: WiredSystem) -> None:
    for name in system.replicas:
        lines = [line for line in system.log(name) if line["level"] not in ("info", "debug")]
        for line in lines[-10:]:
            print(f"{name}: {str(line)[: _KEPT_LOG * 2]}")


def _report(console: Console, outcome: Outcome) -> None:
    table = Table("fault", "times", "back in: median, s", "longest, s", title="Faults")
    kinds: dict[str, list[float]] = {}
    for fault, seconds in outcome.recovered:
        kinds.setdefault(f"{fault.kind} {fault.target}", []).append(seconds)
    for name, times in sorted(kinds.items()):
        middle = sorted(times)[len(times) // 2]
        table.add_row(name, str(len(times)), f"{middle:.1f}", f"{max(times):.1f}")
    console.print(table)
    console.print("requests:", dict(outcome.done))
    console.print("verdict: exact;", outcome.verdict)


if __name__ == "__main__":
    sys.exit(main())
