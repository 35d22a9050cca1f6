"""Every kind of rule in .importlinter is broken on purpose, and seen to be caught."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = [
    ROOT / "libs" / "common" / "nastavnik_common",
    ROOT / "libs" / "client-events" / "nastavnik_events",
    *(
        ROOT / "services" / name / f"nastavnik_{name}"
        for name in ("registry", "activity", "metrics")
    ),
    ROOT / "deploy" / "local" / "nastavnik_local",
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The packages and their contracts, in a directory where they may be broken."""
    shutil.copy(ROOT / ".importlinter", tmp_path)
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "versions")
        shutil.copytree(package, tmp_path / package.name, ignore=ignored)
    return tmp_path


def lint(copy: Path) -> subprocess.CompletedProcess[str]:
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        check=False,
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def append(path: Path, line: str) -> None:
    path.touch()
    path.write_text(f"{path.read_text()}\n{line}\n")


def test_the_packages_keep_the_contracts(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("contract", "edits"),
    [
        (
            "Services share nothing but events and the common library",
            {"nastavnik_activity/shortcut.py": "import nastavnik_registry.tables"},
        ),
        (
            "The common library knows no service",
            {"nastavnik_common/db.py": "import nastavnik_metrics"},
        ),
        (
            "The client of events needs the event contract alone",
            {"nastavnik_events/shortcut.py": "import nastavnik_common.db"},
        ),
        (
            "Services do not know the one-machine launcher",
            {"nastavnik_metrics/shortcut.py": "import nastavnik_local.processes"},
        ),
        (
            "No circles",
            {
                "nastavnik_common/hen.py": "import nastavnik_common.egg",
                "nastavnik_common/egg.py": "import nastavnik_common.hen",
            },
        ),
        (
            "Layers of the registry",
            {"nastavnik_registry/domain.py": "import nastavnik_registry.tables"},
        ),
        (
            "Layers of the activity service",
            {"nastavnik_activity/domain.py": "import nastavnik_activity.queries"},
        ),
        (
            "Layers of the metrics service",
            {"nastavnik_metrics/cells.py": "import nastavnik_metrics.fold"},
        ),
        (
            "Rules, measures and events import no framework",
            {"nastavnik_common/events/base.py": "import fastapi"},
        ),
        (
            "Rules, measures and events import no framework",
            # not by a detour either
            {"nastavnik_registry/domain.py": "import nastavnik_common.paging"},
        ),
    ],
)
def test_a_forbidden_import_is_caught(copy: Path, contract: str, edits: dict[str, str]) -> None:
    for path, line in edits.items():
        append(copy / path, line)
    done = lint(copy)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{contract} BROKEN" in done.stdout
