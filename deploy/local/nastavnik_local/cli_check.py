"""`nastavnik check`: what is wrong with a OneRoster package, for people or for machines."""

import sys
from pathlib import Path

import msgspec
from rich.progress import Progress, TextColumn
from rich.table import Table
from rich.text import Text

from nastavnik_local.console import console, say
from nastavnik_registry.imports import Finding, Report, check
from nastavnik_registry.imports.page import language, page, said


def checked(path: Path, *, quiet: bool) -> Report:
    """The report; the rows checked are shown on a terminal meanwhile. OSError: no such file."""
    if quiet or not console.is_terminal:
        return check(path)
    with Progress(TextColumn("{task.description}"), console=console, transient=True) as progress:
        task = progress.add_task(path.name)
        return check(
            path,
            progress=lambda file, rows: progress.update(task, description=f"{file}: {rows:,} rows"),
        )


def as_json(report: Report) -> None:
    """{valid, total, findings, warnings, files, versions} on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(_plain(report))).decode() + "\n")


def _plain(report: Report) -> dict[str, object]:
    """Every field of a finding, also where it is empty."""
    found = msgspec.structs.asdict(report)
    for name in ("findings", "warnings"):
        found[name] = [msgspec.structs.asdict(finding) for finding in found[name]]
    return found


def as_page(path: Path, report: Report, to: Path, lang: str) -> None:
    to.write_text(page(report, language(lang, ""), path.name), encoding="utf-8")
    say(f"wrote {to}")


def as_table(path: Path, report: Report, lang: str) -> None:
    for file in report.files:
        say(f"  {file.name:34} {file.mode:7} {file.rows:>10,} rows")
    if report.findings or report.warnings:
        console.print(_findings(report, lang))
    more = report.total - len(report.findings)
    if more > 0:
        say(f"… and {more:,} findings more")
    say(f"{path.name}: {'valid' if report.valid else f'not valid, {report.total:,} findings'}")


def _findings(report: Report, lang: str) -> Table:
    made = Table("place", "code", "what is wrong", "what to do")
    for finding in report.findings:
        made.add_row(*_row(finding, lang))
    for finding in report.warnings:
        made.add_row(*_row(finding, lang), style="dim")
    return made


def _row(finding: Finding, lang: str) -> tuple[str, str, Text, Text]:
    message, hint = said(finding, language(lang, ""))
    return _place(finding), finding.code, Text(message), Text(hint)


def _place(finding: Finding) -> str:
    line = f":{finding.line}" if finding.line else ""
    column = f" {finding.column}" if finding.column else ""
    return f"{finding.file or 'package'}{line}{column}"
