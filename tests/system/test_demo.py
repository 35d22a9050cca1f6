"""The command line: the demonstration from end to end, and the checker."""

import json
import os
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from nastavnik_local.recount import INDICATORS
from nastavnik_local.sample import Calendar, outline, write_packages


def nastavnik(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("nastavnik")), *arguments]
    environment = {**os.environ, "COLUMNS": "120"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, check=False, env=environment
    )


@pytest.mark.timeout(300)
def test_demo_passes_its_own_audit() -> None:
    """Three quarters of a minute on two idle cores."""
    done = nastavnik("demo", timeout=280)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "PASSED: " in done.stdout
    assert "Озёрный край" in done.stdout
    shown = done.stdout.partition("Озёрный край")[2]
    groups = ("coverage", "organisational", "methodical", "personal", "results")
    for group in groups:
        assert f"\n  {group} " in shown, f"{group} is not in the table"
    rows = re.findall(r"^    \S.*$", shown.partition("\n  coverage ")[2], re.MULTILINE)
    assert len(rows) == len(INDICATORS), "one row for each indicator"
    calendar = Calendar.of(date.today())  # noqa: DTZ011 - as the command takes it
    if calendar.last - calendar.first > timedelta(days=60):  # some have come to their end
        assert not [row for row in rows if "no data" in row], "the sample has something of all"


def test_check_accepts_and_refuses(tmp_path: Path) -> None:
    good = write_packages(outline(seed=1, today=date(2026, 11, 24)), tmp_path)[0]
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"not a zip")
    assert nastavnik("check", str(good)).returncode == 0
    assert nastavnik("check", str(bad)).returncode == 1
    assert nastavnik("check", str(tmp_path / "none.zip")).returncode == 2


def test_check_speaks_json(tmp_path: Path) -> None:
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"not a zip")
    report = json.loads(nastavnik("check", "--json", str(bad)).stdout)
    assert report["valid"] is False
    assert report["total"] == 1
    assert set(report["findings"][0]) >= {"code", "file", "line", "column", "message", "hint"}


def test_sample_writes_packages(tmp_path: Path) -> None:
    assert nastavnik("sample", str(tmp_path)).returncode == 0
    assert len(list(tmp_path.glob("*.zip"))) == 6
