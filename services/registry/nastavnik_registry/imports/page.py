"""A report as a page for those who prepare the files: in Russian or in English."""

from collections.abc import Sequence
from html import escape
from typing import Literal

from nastavnik_registry.imports.findings import Finding, Report
from nastavnik_registry.imports.texts import russian

Language = Literal["ru", "en"]
_WORDS: dict[Language, dict[str, str]] = {
    "ru": {
        "title": "Проверка пакета OneRoster",
        "valid": "Ошибок нет",
        "invalid": "Найдено ошибок: {total}",
        "more": "Показаны первые {shown}.",
        "warnings": "Замечания",
        "files": "Файлы",
        "head": "Файл|Строка|Столбец|Что не так|Что сделать|Код",
        "tables": "Файл|Режим|Строк",
        "package": "пакет",
    },
    "en": {
        "title": "Check of a OneRoster package",
        "valid": "No faults",
        "invalid": "Faults found: {total}",
        "more": "The first {shown} are shown.",
        "warnings": "Remarks",
        "files": "Files",
        "head": "File|Line|Column|What is wrong|What to do|Code",
        "tables": "File|Mode|Rows",
        "package": "package",
    },
}
_STYLE = (
    "body{font:16px/1.5 sans-serif;margin:2em auto;max-width:75em;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
    "padding:.4em .8em;border-bottom:1px solid #ddd}code{font-size:.85em;color:#666}"
    ".valid{color:#176b2c}.invalid{color:#a11}"
)


def language(asked: str | None, accepted: str) -> Language:
    """`asked` outright, else the first of an Accept-Language that there is; else Russian."""
    ranked = sorted(map(_weighed, accepted.split(",")), reverse=True)
    for name in (asked or "", *(name for weight, name in ranked if weight > 0)):
        if name in ("ru", "en"):
            return "ru" if name == "ru" else "en"
    return "ru"


def _weighed(part: str) -> tuple[float, str]:
    name, _, weight = part.strip().partition(";q=")
    try:
        return float(weight or 1), name.partition("-")[0].lower()
    except ValueError:
        return 0.0, name


def page(report: Report, lang: Language, name: str = "") -> str:
    """A page that stands alone: no scripts, nothing fetched. `name` is the package's."""
    words = _WORDS[lang]
    title = escape(f"{words['title']}: {name}" if name else words["title"])
    parts = [
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{title}</title>',
        f"<style>{_STYLE}</style><h1>{title}</h1>",
        _verdict(report, words),
    ]
    if report.findings:
        parts.append(_findings(report.findings, lang))
    if report.warnings:
        parts += [f"<h2>{words['warnings']}</h2>", _findings(report.warnings, lang)]
    if report.files:
        rows = [(file.name, file.mode, str(file.rows)) for file in report.files]
        parts += [f"<h2>{words['files']}</h2>", _table(words["tables"], rows)]
    return "\n".join([*parts, "</html>\n"])


def _verdict(report: Report, words: dict[str, str]) -> str:
    kind = "valid" if report.valid else "invalid"
    text = words[kind].format(total=report.total)
    if report.total > len(report.findings):
        text += ". " + words["more"].format(shown=len(report.findings))
    return f'<p class="{kind}"><strong>{text}</strong></p>'


def _findings(findings: tuple[Finding, ...], lang: Language) -> str:
    return _table(_WORDS[lang]["head"], [_row(finding, lang) for finding in findings])


def said(finding: Finding, lang: Language) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    known = russian(finding.code) if lang == "ru" else None
    return known or (finding.message, finding.hint)


def _row(finding: Finding, lang: Language) -> tuple[str, ...]:
    message, hint = said(finding, lang)
    if finding.value:
        message += f": {finding.value}"
    place = (finding.file or _WORDS[lang]["package"], str(finding.line or ""), finding.column)
    return (*place, message, hint, finding.code)


def _table(head: str, rows: Sequence[tuple[str, ...]]) -> str:
    titles = "".join(f"<th>{title}" for title in head.split("|"))
    lines = ["<tr>" + "".join(f"<td>{escape(cell)}" for cell in row) for row in rows]
    return f"<table><tr>{titles}\n" + "\n".join(lines) + "</table>"
