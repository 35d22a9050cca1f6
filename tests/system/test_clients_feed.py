"""Those who follow: the feed and the topics lead to the same states, whoever writes meanwhile; and
the examples in docs/ do what they say, against the real broker."""

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nastavnik_events import KINDS, Latest, pages
from nastavnik_local import tokens
from nastavnik_local.scenario_api import Api
from tests.system.helpers import NAMES, System, World, until

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
WRITERS = 6


class Follower(threading.Thread):
    """Follows one service's feed in small pages until told to stop."""

    def __init__(self, url: str, latest: Latest) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._latest = latest
        self._stopped = threading.Event()

    def run(self) -> None:
        for page in pages(self._url, limit=7, wait=0.5, token=os.environ[tokens.VARIABLE]):
            for change in page.changes:
                self._latest.apply(change)
            if self._stopped.is_set():
                return

    def stop(self) -> None:
        self._stopped.set()
        self.join(20)


@pytest.fixture(scope="module")
def followed(running: System) -> Iterator[dict[str, Latest]]:
    """Service → what its feed has told so far; followed from before anything is written."""
    told = {name: Latest() for name in NAMES}
    followers = [Follower(running.url(name), latest) for name, latest in told.items()]
    for follower in followers:
        follower.start()
    yield told
    for follower in followers:
        follower.stop()


@pytest.fixture(scope="module")
async def written(running: System, followed: dict[str, Latest]) -> dict[str, int]:
    """Session or participant → the version its last writer was told; 0: deleted."""
    async with Api.connect(running.urls) as api:
        world = await World(api).build(pupils=2 * WRITERS, pairs=WRITERS)
        found = await asyncio.gather(*(_write(api, world, n) for n in range(WRITERS)))
    return {ident: version for one in found for ident, version in one.items()}


async def _write(api: Api, world: World, number: int) -> dict[str, int]:
    """One of the writers: sessions logged and corrected, people changed, all at once."""
    bodies = [world.meeting(number) for _ in range(4)]
    activity, registry = api.client("activity"), api.client("registry")
    versions: dict[str, int] = {}
    for body in bodies:
        versions[body["id"]] = (await activity.post("/sessions", json=body)).json()["version"]
    for minutes in (5, 6, 7):
        for body in bodies:
            change = {"duration_minutes": minutes}
            answer = await activity.patch(f"/sessions/{body['id']}", json=change)
            versions[body["id"]] = answer.json()["version"]
        person = world.people[2 * number]
        born = {"birth_date": f"2011-03-{minutes:02d}"}
        answer = await registry.patch(f"/participants/{person}", json=born)
        versions[person] = answer.json()["version"]
    assert (await activity.delete(f"/sessions/{bodies[0]['id']}")).status_code == 200
    return versions | {bodies[0]["id"]: 0}


def example(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def everything(latest: Latest) -> dict[str, tuple[Any, Any]]:
    return {kind.name: (latest.states(kind), latest.deleted(kind)) for kind in KINDS}


async def test_a_follower_of_the_feed_sees_the_last_version_of_everything(
    followed: dict[str, Latest], written: dict[str, int]
) -> None:
    missing: dict[str, int] = {}

    async def told() -> bool:
        seen: dict[str, int] = {}
        for latest in (followed["registry"], followed["activity"]):
            for kind in KINDS:
                seen |= {str(ident): state.version for ident, state in latest.states(kind).items()}
                seen |= {str(ident): 0 for ident in latest.deleted(kind)}
        missing.clear()
        missing.update({i: v for i, v in written.items() if seen.get(i) != v})
        return not missing

    await until(told, saw=lambda: missing)


async def test_feed_and_topics_lead_to_the_same_states(
    running: System, followed: dict[str, Latest], written: dict[str, int]
) -> None:
    """The example in Python reads the topics, its `Latest` is compared with the feeds'."""
    follow = example(EXAMPLES / "python" / "follow.py").follow
    different: list[str] = []

    async def same() -> bool:
        from_topics = everything(await asyncio.to_thread(follow, running.bootstrap, once=True))
        from_feeds = {kind.name: everything(followed[kind.source])[kind.name] for kind in KINDS}
        different[:] = [name for name, told in from_topics.items() if told != from_feeds[name]]
        return not different

    await until(same, saw=lambda: different)


def states_of(command: list[str], where: Path) -> set[tuple[str, str, int]]:
    done = subprocess.run(
        command, cwd=where, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "caught up" in done.stderr
    return {tuple(json.loads(line)) for line in done.stdout.splitlines()}


@pytest.fixture(scope="session")
def node_example() -> Path:
    """The example with its packages, of the versions it names; fetched once with npm."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("no node and npm here to run the example with")
    where = ROOT / ".cache" / "node-example"
    where.mkdir(parents=True, exist_ok=True)
    wanted = (EXAMPLES / "node" / "package.json").read_text()
    done = where / "installed.json"
    if not done.exists() or done.read_text() != wanted:
        (where / "package.json").write_text(wanted)
        command = [npm, "install", "--no-package-lock", "--no-fund", "--no-audit"]
        brought = subprocess.run(
            command, cwd=where, capture_output=True, text=True, timeout=120, check=False
        )
        if brought.returncode:
            pytest.skip(f"npm does not bring kafkajs: {brought.stderr.strip()[-200:]}")
        done.write_text(wanted)
    shutil.copy(EXAMPLES / "node" / "follow.mjs", where)
    return where


async def test_the_examples_in_python_and_node_agree(
    running: System, written: dict[str, int], node_example: Path
) -> None:
    """confluent-kafka with our package, kafkajs with the CloudEvents SDK: the same states."""
    once = [running.bootstrap, "--once"]
    python = [sys.executable, str(EXAMPLES / "python" / "follow.py"), "--bootstrap", *once]
    different: set[Any] = set()

    async def same() -> bool:
        here, there = await asyncio.gather(
            asyncio.to_thread(states_of, python, ROOT),
            asyncio.to_thread(states_of, ["node", "follow.mjs", *once], node_example),
        )
        assert {kind for kind, *_ in there} >= {"organization", "participant", "session"}
        different.clear()
        different.update(here ^ there)
        return not different

    await until(same, saw=lambda: sorted(different)[:10])
