"""`python -m tests.bench [names…] [--quick] [--write] [--profile FOLDER]`."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from nastavnik_common import logs
from nastavnik_common.settings import Settings
from nastavnik_local.console import say
from tests.bench import (
    at_region,
    batch,
    catch_up,
    growth,
    latency,
    memory,
    million,
    relay,
    report,
    roster,
    stage,
)
from tests.bench.harness import Row, attempted, failed, show
from tests.bench.profile import profiled
from tests.bench.stage import Stage

Benchmark = Callable[[Stage], Coroutine[Any, Any, list[Row]]]
ALONE: dict[str, Benchmark] = {
    "relay": relay.run,
    "catch_up": catch_up.run,
    "region": at_region.run,
    "growth": growth.run,
}
WITH_SERVICES: dict[str, Benchmark] = {
    "latency": latency.run,
    "batch": batch.run,
    "roster": roster.run,
}
ASKED: dict[str, Benchmark] = {"million": million.run}  # only where it is named
USUAL = (*WITH_SERVICES, *ALONE, "memory")
NAMES = (*USUAL, *ASKED)
_LIMIT = 300.0  # seconds one benchmark may take


def main() -> None:
    """What fails leaves a row that says so, and the others their figures."""
    options = _options()
    _quiet()
    chosen = options.names or list(USUAL)
    found: dict[str, list[Row]] = {}
    flavour = _with_services(chosen, options, found)
    alone = ALONE | ASKED
    for name in [name for name in alone if name in chosen]:
        try:
            with stage.servers(quick=options.quick) as place:
                found[name] = _run(name, alone[name], place, options.profile)
                flavour = place.flavour
        except Exception as error:
            found[name] = [failed(name, error)]
    rows = {name: found[name] for name in NAMES if name in found}
    show([row for part in rows.values() for row in part])
    if options.write:
        report.write(rows, flavour)
    if any(row.error for part in rows.values() for row in part):
        sys.exit(1)


def _quiet() -> None:
    """Nothing but what went wrong: new topics make clients ask again, and say so."""
    logs.configure(Settings(database_url="", log_level="ERROR"), "bench")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="small sizes: to try the programs")
    parser.add_argument("--write", action="store_true", help="rewrite docs/benchmarks.md")
    parser.add_argument("--profile", type=Path, metavar="FOLDER", help="sample with py-spy")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if options.write and (options.quick or options.names):
        parser.error("--write takes a whole run of full sizes")
    return options


def _with_services(
    chosen: Sequence[str], options: argparse.Namespace, found: dict[str, list[Row]]
) -> str:
    """Those that need the services share one run of them, so that their memory can be told.
    Memory alone is that of all of these."""
    names = [name for name in WITH_SERVICES if name in chosen]
    if not names and "memory" in chosen:
        names = list(WITH_SERVICES)
    if not names:
        return ""
    try:
        with stage.services(quick=options.quick) as place:
            before = memory.peaks(place)
            for name in names:
                found[name] = _run(name, WITH_SERVICES[name], place, options.profile)
            if "memory" in chosen:
                found["memory"] = memory.rows(before, place)
            return place.flavour
    except Exception as error:
        found["memory"] = [failed("the services", error)]
        return ""


def _run(name: str, benchmark: Benchmark, place: Stage, profile: Path | None) -> list[Row]:
    say(f"{name} …")
    with profiled(profile, name, place.pids):
        measuring = asyncio.wait_for(benchmark(place), _LIMIT)
        rows = asyncio.run(attempted(name, measuring))
    for row in rows:
        say(f"  {row.name}: {row.told}")
    return rows


if __name__ == "__main__":
    main()
