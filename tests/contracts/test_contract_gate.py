"""`nastavnik contract check` lets no break of a released schema pass, nor a change nobody told of.

The schemas of the code are what they are, so the release is edited: what the code has then differs
from it in the way shown.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nastavnik_local.cli import app
from nastavnik_local.contract_gate import objections

DOCS = Path(__file__).resolve().parents[2] / "docs"
Edit = Callable[[dict[str, Any]], Any]


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """As right after a release: what has really changed since then is no matter here."""
    made = shutil.copytree(DOCS, tmp_path / "docs")
    for schema in (made / "schemas").glob("*.json"):
        shutil.copy(schema, made / "schemas" / "released")
    return made


def released(docs: Path, kind: str, edit: Edit) -> None:
    """Edit the definition of a kind's state in the last release."""
    path = docs / "schemas" / "released" / f"{kind}.v1.json"
    document = json.loads(path.read_text())
    edit(document["$defs"][document["$ref"].rsplit("/", 1)[-1]])
    path.write_text(json.dumps(document))


def test_the_contract_as_it_is_may_be_published() -> None:
    assert objections(DOCS) == []


def field(name: str, **schema: Any) -> Edit:
    return lambda state: state["properties"].__setitem__(name, schema)


BREAKS: dict[str, tuple[str, Edit, str]] = {
    "a field was removed": ("session", field("place", type="string", default=""), "place"),
    "a field is new and required": (
        "session",
        lambda state: (state["properties"].pop("date"), state["required"].remove("date")),
        "date",
    ),
    "a field became required": (
        "session",
        lambda state: state["required"].remove("date"),
        "date",
    ),
    "a field is no longer always there": (
        "session",
        lambda state: state["required"].append("technology"),
        "technology",
    ),
    "an enumeration lost a member": (
        "session",
        lambda state: state["properties"]["status"]["enum"].append("planned"),
        "status",
    ),
    "a number became a whole one": ("assessment", field("value", type="number"), "value"),
    "null is no longer allowed": (
        "session",
        field("mentorship_id", anyOf=[{"type": "string", "format": "uuid"}, {"type": "null"}]),
        "mentorship_id",
    ),
    "a type is another": ("session", field("duration_minutes", type="string"), "duration_minutes"),
    "a bound is narrower": (
        "session",
        lambda state: state["properties"]["duration_minutes"].__setitem__("maximum", 1440),
        "duration_minutes",
    ),
    "a default is another": (
        "participant",
        lambda state: state["properties"]["birth_year"].__setitem__("default", 1900),
        "birth_year",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_refused(docs: Path, name: str) -> None:
    kind, edit, place = BREAKS[name]
    released(docs, kind, edit)
    (docs / "events" / "CHANGELOG.md").write_text(f"## Unreleased\n\n- `{kind}`: {name}\n")
    told = objections(docs)
    assert len(told) == 1, told
    assert told[0].startswith(f"{kind}.v1: {place}: ")
    done = CliRunner().invoke(app, ["contract", "check", "--docs", str(docs)])
    assert done.exit_code == 1
    assert place in done.output


def test_a_kind_that_is_gone_is_refused(docs: Path) -> None:
    schemas = docs / "schemas" / "released"
    shutil.copy(schemas / "session.v1.json", schemas / "meeting.v1.json")
    assert objections(docs) == ["meeting.v1: was released and is gone"]


def test_an_addition_passes_once_the_changelog_names_it(docs: Path) -> None:
    released(docs, "session", lambda state: state["properties"].pop("technology"))
    assert objections(docs) == [
        "session: changed since the release, and the changelog does not say how"
    ]
    changelog = docs / "events" / "CHANGELOG.md"
    changelog.write_text("## Unreleased\n\n- `session`: `technology` is new\n\n## 1.0.0\n")
    assert objections(docs) == []
    changelog.write_text("## Unreleased\n\n## 1.0.0\n\n- `session`\n")
    assert objections(docs) != []


def test_other_words_are_no_change(docs: Path) -> None:
    released(docs, "session", lambda state: state.__setitem__("description", "Something else"))
    assert objections(docs) == []
