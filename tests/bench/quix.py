"""A peer: quixstreams, on the log the projector reads."""

import asyncio
import json
import shutil
from pathlib import Path

from nastavnik_common import events
from nastavnik_common.settings import Settings
from nastavnik_local.console import say
from tests.bench.stage import Stage

_HERE = Path(__file__).parents[2]
_PYTHON = _HERE / ".cache" / "quix" / "bin" / "python"
_PROGRAM = Path(__file__).with_name("quix_program.py")
_PLAIN = (events.ORGANIZATION, events.PARTICIPANT, events.MENTORSHIP)
_PATIENCE = 180.0


async def handled(stage: Stage, settings: Settings, count: int) -> float | None:
    """Events a second of the whole log; None, and a word why, where it is not installed."""
    if not _PYTHON.exists():
        say("  no quixstreams to measure beside: `make .cache/quix/.installed` brings it")
        return None
    folder = Path(stage.root) / f"quix-{count}"
    topics = ",".join(kind.topic for kind in _PLAIN)
    arguments = (settings.kafka_bootstrap_servers, str(folder), topics, events.SESSION.topic)
    child = await asyncio.create_subprocess_exec(
        str(_PYTHON),
        str(_PROGRAM),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, complaints = await asyncio.wait_for(child.communicate(), _PATIENCE)
    finally:
        if child.returncode is None:
            child.kill()
    shutil.rmtree(folder, ignore_errors=True)
    if child.returncode:
        raise RuntimeError(f"quixstreams: {complaints.decode()[-300:]}")
    told = json.loads(out.decode().splitlines()[-1])
    if told["events"] < count:
        raise RuntimeError(f"quixstreams took {told['events']} of {count} events")
    return float(told["events"] / told["seconds"])
