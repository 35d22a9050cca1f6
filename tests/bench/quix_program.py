"""What quixstreams can do of the projector's job. Run by an interpreter of its own (`.cache/quix`):
its dependencies cannot be had together with ours.

Of every aggregate the newest version is kept in its state (RocksDB, with a changelog topic); of
every session the changes of who attended what are sent on by person, and counted. Nothing is joined
with anything: no home, no year, no cell. Prints how many events it took, and the seconds.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from quixstreams import Application  # type: ignore[import-not-found]
from quixstreams.state import State  # type: ignore[import-not-found]

_QUIET = 10.0  # seconds without a record: then all have been handled


class Clock:
    """When the first and the last record were handled, and how many came from the log."""

    def __init__(self) -> None:
        self.first = self.last = 0.0
        self.events = 0

    def event(self, _: Any) -> None:
        self.events += 1
        self.count(_)

    def count(self, _: Any) -> None:
        self.last = time.perf_counter()
        self.first = self.first or self.last


def newest(value: dict[str, Any], state: State) -> bool:
    """Keep it, unless a newer one is kept."""
    if state.get("version", 0) >= value["version"]:
        return False
    state.set("version", value["version"])
    state.set("value", value)
    return True


def attended(value: dict[str, Any], state: State) -> list[dict[str, Any]]:
    """What changes of (person, mentorship, month) → held sessions."""
    if state.get("version", 0) >= value["version"]:
        return []
    state.set("version", value["version"])
    before: list[dict[str, Any]] = state.get("attended", [])
    there = [a["participant_id"] for a in value["attendance"] if a["attended"]]
    month, pair, held = value["date"][:7], value["mentorship_id"], value["status"] == "held"
    now = [{"person": one, "pair": pair, "month": month, "n": 1} for one in there if held]
    state.set("attended", now)
    return [*({**one, "n": -1} for one in before), *now]


def add(value: dict[str, Any], state: State) -> None:
    at = f"{value['pair']} {value['month']}"
    state.set(at, state.get(at, 0) + value["n"])


def main(bootstrap: str, folder: str, plain: list[str], sessions: str) -> None:
    clock = Clock()
    app = Application(
        bootstrap,
        consumer_group=f"bench-quix-{Path(folder).name}",
        auto_offset_reset="earliest",
        state_dir=folder,
        loglevel="ERROR",
    )
    for name in plain:
        frame = app.dataframe(app.topic(name, key_deserializer="str", value_deserializer="json"))
        frame.update(clock.event).filter(newest, stateful=True)
    frame = app.dataframe(app.topic(sessions, key_deserializer="str", value_deserializer="json"))
    deltas = frame.update(clock.event).apply(attended, stateful=True, expand=True)
    deltas.group_by("person").update(add, stateful=True).update(clock.count)
    app.run(timeout=_QUIET)
    print(json.dumps({"events": clock.events, "seconds": clock.last - clock.first}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3].split(","), sys.argv[4])
