"""The report of an import as a page, in the reader's language."""

import re
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from nastavnik_local.cli import app as cli
from nastavnik_registry import imports
from nastavnik_registry.imports.page import language, page
from nastavnik_registry.imports.texts import codes
from tests.registry.importing import Import
from tests.registry.packages import Roster

_CODE = re.compile(
    r'"((?:csv|package|manifest|table|schema|row|reference|semantic|warning|import)\.[a-z_]+)"'
)
# names of things, and errors of the request or the job, which are in no report
_OTHERS = {"manifest.csv", "manifest.version", "import.stale", "import.too_many_removed"} | {
    f"import.{name}"
    for name in (
        *("attempts_exhausted", "cut_short", "empty", "file_missing", "internal", "media_type"),
        *("no_file", "package_unreadable"),
    )
}


def test_every_code_has_russian_words() -> None:
    folder = Path(imports.__file__).parent
    sources = [p.read_text() for p in folder.glob("*.py") if p.name != "texts.py"]
    found = {code for text in sources for code in _CODE.findall(text)}
    assert len(found) > 50
    assert found - _OTHERS <= codes()


def bad() -> Roster:
    roster = Roster()
    roster.edit("roles", 2, "role", "<b>Student")
    return roster


async def test_the_report_is_a_page_in_the_language_asked_for(
    client: httpx.AsyncClient, run_import: Import
) -> None:
    found = await run_import(bad())
    url = f"/imports/{found['id']}/report"
    russian = await client.get(url)
    assert russian.headers["content-type"].startswith("text/html")
    assert "Слова нет в перечне" in russian.text
    assert "roles.csv" in russian.text
    assert "<b>" not in russian.text
    english = await client.get(url, headers={"Accept-Language": "de, en-GB;q=0.8, ru;q=0.3"})
    assert "expected one of" in english.text
    assert "Слова" in (await client.get(f"{url}?lang=ru", headers={"Accept-Language": "en"})).text
    missing = await client.get("/imports/00000000-0000-4000-8000-000000000000/report")
    assert (missing.status_code, missing.json()["code"]) == (404, "import_report.not_found")


@pytest.mark.parametrize(
    ("asked", "accepted", "expected"),
    [
        (None, "", "ru"),
        (None, "en-US,en;q=0.9", "en"),
        (None, "ru;q=0.1, en;q=0.9", "en"),
        (None, "en;q=0, *", "ru"),
        (None, "en;q=x", "ru"),
        ("en", "ru", "en"),
    ],
)
def test_the_language_is_the_best_there_is(asked: str | None, accepted: str, expected: str) -> None:
    assert language(asked, accepted) == expected


def test_what_stands_in_a_package_is_no_markup() -> None:
    finding = imports.Finding("package.unknown_file", value="<script>")
    text = page(imports.Report(valid=False, findings=(finding,), total=1), "ru", "<i>.zip")
    assert "<script>" not in text
    assert "<i>" not in text
    assert "&lt;script&gt;" in text


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    package, to = tmp_path / "roster.zip", tmp_path / "out.html"
    package.write_bytes(bad().pack().getvalue())
    said = CliRunner().invoke(cli, ["check", str(package), "--lang", "ru", "--html", str(to)])
    assert said.exit_code == 1
    assert "Слова нет в перечне" in to.read_text(encoding="utf-8")
    assert "Слова" in said.output
