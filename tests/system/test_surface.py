"""The HTTP surface against its own descriptions: schemathesis sends what they allow, and what they
do not, to the running system."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nastavnik_local.scenario_api import Api
from tests import tokens
from tests.system.helpers import NAMES, System, until_exact

ROOT = Path(__file__).resolve().parents[2]
# No schema can say that a cursor must be one of ours, or an organisation known. And any text is
# a batch: what is wrong with a line stands in the answer's line.
CONFIG = """
[checks.positive_data_acceptance]
enabled = false
[[operations]]
include-path-regex = ":batch$"
[operations.checks.negative_data_rejection]
enabled = false
"""
SEED = os.environ.get("SCHEMATHESIS_SEED", "20260901")
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "3")


@pytest.mark.parametrize("name", NAMES)
def test_a_service_does_what_its_description_says(
    running: System, tmp_path: Path, name: str
) -> None:
    """Every check of schemathesis but one; the live stream is left out, for it has no end."""
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--no-color", "run", f"{running.url(name)}/openapi.json"),
        *("--phases", "examples,coverage,fuzzing,stateful"),
        *("--max-examples", EXAMPLES, "--seed", SEED, "--continue-on-failure"),
        *("--suppress-health-check", "all", "--no-shrink", "--request-timeout", "10"),
        *("--exclude-path", "/stream", "--warnings", "off"),
        *("--header", f"Authorization: {tokens.allowed()['authorization']}"),
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.system.helpers_ndjson"}
        | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]


async def test_what_was_sent_did_no_harm(running: System, api: Api) -> None:
    """Whatever the services took in, the figures are those of a recount, and nothing that they
    published could not be read."""
    await until_exact(running, api)
    letters = await api.get("metrics", "/dead-letters")
    assert letters.body["items"] == []
