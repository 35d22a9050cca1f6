"""The HTTP surface against its own descriptions: schemathesis sends what they allow, and what they
do not, to the running system, and goes where their links lead."""

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from nastavnik_local.scenario_api import Api
from tests import tokens
from tests.system.helpers import DAY, NAMES, YEAR, System, World, until_exact, until_figures
from tests.system.helpers_links import Links

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.drill
# Of OneRoster a sample: the other collections are made by the same two functions.
# Any text is a batch: what is wrong with a line stands in the answer's line.
CONFIG = """
[phases.stateful]
max-steps = 8
[phases.stateful.generation]
max-examples = 30
[[operations]]
include-path-regex = "^/ims/oneroster/rostering/v1p2/(?!orgs|users$|schools/[^/]+/students)"
enabled = false
[[operations]]
include-path-regex = ":batch$"
[operations.checks.negative_data_rejection]
enabled = false
"""
PHASES = os.environ.get("SCHEMATHESIS_PHASES", "examples,coverage")
"""Those that draw nothing at random; `make drills` has fuzzing and stateful besides."""
SEED = os.environ.get("SCHEMATHESIS_SEED", "20260901")
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "3")


@pytest.fixture
async def there(api: Api, tmp_path: Path) -> Path:
    """A file with the ids of a world, for the hooks; see helpers_surface."""
    world = await World(api).build(pupils=4, pairs=2)
    await until_figures(api, [world.school], (0, 4))
    mentorship, mentor, mentee = world.pairs[0]
    units = {"organization_id": [world.school], "parent_id": [world.town]}
    about = {"mentorship_id": [mentorship], "participant_id": [mentor, mentee]}
    whose = {"respondent_id": [mentee], "subject_id": [mentee], "unit_id": [world.school]}
    parameters = {"unit": [world.school], "under": [world.town], "indicator": ["coverage.students"]}
    codes = {"code": ["coverage.students"], "questionnaire": ["motivation"]}
    dates = {"active_from": [str(DAY - timedelta(days=9))], "school_year": [YEAR]}
    days = {name: [str(DAY)] for name in ("date", "on", "since", "signed_on", "as_of")}
    days["starts_at"] = [f"{DAY}T09:00:00Z"]
    path = tmp_path / "there.json"
    path.write_text(
        json.dumps(
            {
                "fields": {**units, **about, **whose},
                "parameters": {**units, **about, **whose, **parameters, **codes},
                "dates": {**dates, **days},
            }
        )
    )
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_service_does_what_its_description_says(
    running: System, there: Path, tmp_path: Path, name: str
) -> None:
    """Every check of schemathesis; the live stream is left out, for it has no end."""
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--no-color", "run", f"{running.url(name)}/openapi.json"),
        *("--phases", PHASES),
        *("--max-examples", EXAMPLES, "--seed", SEED, "--continue-on-failure"),
        *("--suppress-health-check", "all", "--no-shrink", "--request-timeout", "60"),
        *("--exclude-path", "/stream", "--warnings", "off"),
        *("--header", f"Authorization: {tokens.allowed()['authorization']}"),
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.system.helpers_surface"}
        | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        | {"SURFACE": str(there)},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
    if "stateful" in PHASES:  # how many links it follows depends on what is drawn: see below
        followed = re.search(r"API Links: +(\d+) covered", done.stdout)
        assert followed is not None
        assert int(followed[1]) > 0, done.stdout[-3000:]


@pytest.mark.parametrize("name", NAMES)
async def test_links_lead_where_they_say(running: System, there: Path, name: str) -> None:
    """Every link of every list that has something, and of whatever can be made by the body that
    its description shows, to all that can be read of it."""
    known = json.loads(there.read_text())
    async with httpx.AsyncClient(
        base_url=running.url(name), timeout=30, trust_env=False, headers=tokens.allowed()
    ) as client:
        document = (await client.get("/openapi.json")).json()
        walked = Links(document, known)
        for source in walked.sources():
            await walked.follow(client, source)
    assert walked.refused == {}
    assert walked.astray == {}
    assert walked.followed >= walked.of_made() > set()


async def test_what_was_sent_did_no_harm(running: System, api: Api) -> None:
    """Whatever the services took in, the figures are those of a recount, and nothing that they
    published could not be read."""
    await until_exact(running, api)
    letters = await api.get("metrics", "/dead-letters")
    assert letters.body["items"] == []
