"""The command line: the demonstration from end to end, and the checker."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from nastavnik_local.recount import Figures, recount
from nastavnik_local.recount_compare import Served, compare
from nastavnik_local.recount_log import Dated, Log, Mentorship, Organization, Person, Session
from nastavnik_local.sample import outline, write_packages


def nastavnik(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("nastavnik")), *arguments]
    environment = {**os.environ, "COLUMNS": "120"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, check=False, env=environment
    )


@pytest.mark.timeout(240)
def test_demo_passes_its_own_audit() -> None:
    """Half a minute to a minute on two idle cores."""
    done = nastavnik("demo", timeout=200)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "PASSED: " in done.stdout
    assert "Озёрный край" in done.stdout


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


def counted(log: Log, indicator: str, unit: str, form: str = "all") -> tuple[int, int]:
    figures: Figures = recount(log, 2026)
    return figures[indicator, form, unit]


@pytest.fixture
def log() -> Log:
    """A region with one school of two pupils and a teacher, and an enterprise with one person."""
    under = (Dated(None, None, parent="region"),)
    autumn = date(2026, 9, 10)
    return Log(
        organizations={
            "region": Organization("region", None, "R", ()),
            "school": Organization("organization", "general", "S", under),
            "works": Organization("organization", "enterprise", "W", under),
        },
        persons={
            "ann": _person("school", "student", born=2012),
            "bob": _person("school", "student", born=2009),
            "new": _person("school", "teacher", since=2025),
            "old": _person("works", "employer_representative"),
        },
        mentorships={
            "m": Mentorship(
                "factory_pupil",
                "employer_pupil",
                {"old": "mentor", "ann": "mentee", "new": "curator"},
                ((autumn, None),),
            )
        },
        sessions={"s": Session("m", "held", date(2026, 10, 1), ("old", "ann", "new"))},
    )


def _person(
    home: str, kind: str, born: int | None = None, since: int | None = None, **dates: date
) -> Person:
    first, until = dates.get("first"), dates.get("until")
    return Person(born, since, (Dated(first, until, home, kind, primary=True),))


def test_recount_counts_people_at_home(log: Log) -> None:
    assert counted(log, "coverage.students", "region") == (1, 2)
    assert counted(log, "coverage.staff", "region") == (0, 1)  # a curator does not count
    assert counted(log, "coverage.pooled", "school") == (1, 3)
    assert counted(log, "coverage.mentees_10_19", "region") == (1, 2)
    assert counted(log, "coverage.mentors_15_19", "region") == (0, 1)
    assert counted(log, "coverage.young_specialists", "region") == (0, 1)
    assert counted(log, "coverage.enterprises", "region") == (1, 1)
    assert counted(log, "coverage.enterprises", "school") == (0, 0)


def test_recount_knows_forms(log: Log) -> None:
    for form in ("factory_pupil", "employer_pupil"):
        assert counted(log, "coverage.students", "region", form) == (1, 2)
    assert counted(log, "coverage.students", "region", "student_student") == (0, 2)


@pytest.mark.parametrize(
    "session",
    [
        Session("m", "voided", date(2026, 10, 1), ("ann",)),
        Session("m", "cancelled", date(2026, 10, 1), ("ann",)),
        Session("m", "held", date(2026, 8, 31), ("ann",)),
        Session("m", "held", date(2027, 9, 1), ("ann",)),
        Session("m", "held", date(2026, 10, 1), ("bob",)),
        Session("elsewhere", "held", date(2026, 10, 1), ("ann",)),
    ],
)
def test_recount_leaves_out_what_does_not_count(log: Log, session: Session) -> None:
    log.sessions = {"s": session}
    assert counted(log, "coverage.students", "region") == (0, 2)


def test_recount_takes_the_population_of_the_census_day(log: Log) -> None:
    log.persons["ann"] = _person("school", "student", born=2012, until=date(2027, 5, 31))
    assert counted(log, "coverage.students", "region") == (0, 1)
    log.persons["ann"] = _person("school", "student", born=2012, first=date(2027, 5, 31))
    assert counted(log, "coverage.students", "region") == (1, 2)


def test_compare_finds_every_difference(log: Log) -> None:
    figures = recount(log, 2026)
    served = {
        cell: Served(n, d, round(100 * n / d, 2) if d else None) for cell, (n, d) in figures.items()
    }
    assert compare(figures, served, log) == []
    served["coverage.students", "all", "region"] = Served(2, 2, 100.0)
    served["coverage.students", "all", "school"] = Served(1, 2, 49.0)
    del served["coverage.staff", "all", "region"]
    found = {(d.indicator, d.unit): d.served for d in compare(figures, served, log)}
    assert found == {
        ("coverage.students", "R"): "2/2 = 100.0",
        ("coverage.students", "S"): "1/2 = 49.0",
        ("coverage.staff", "R"): "missing",
    }
