"""`nastavnik sheet`: templates to fill in, and filled-in sheets on their way.

A sheet of pairs, sessions or surveys goes to the registry first, which puts ids in the place of
names, and only what comes back from there is sent to the activity service. The token is taken
from NASTAVNIK_TOKEN.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import typer

from nastavnik_common.sheets import journals, layout, markup, reading
from nastavnik_common.sheets.findings import Finding
from nastavnik_local.cli_system import Ports
from nastavnik_local.console import say
from nastavnik_local.tokens import headers

app = typer.Typer(no_args_is_help=True, help="Spreadsheets: templates, and uploads.")


class Kind(StrEnum):
    participants = "participants"
    headcounts = "headcounts"
    mentorships = "mentorships"
    sessions = "sessions"
    surveys = "surveys"

    @property
    def journal(self) -> bool:
        return self.value in journals.NAMES


_PORTS = Ports()
Organization = Annotated[
    list[str] | None,
    typer.Option("--organization", help="Id; of a journal, whose people are named. Repeatable."),
]
Questionnaire = Annotated[str | None, typer.Option(help="Code of it, of surveys.")]
Registry = Annotated[str, typer.Option(help="Where the registry is.")]
Activity = Annotated[str, typer.Option(help="Where the activity service is.")]
_REGISTRY = f"http://127.0.0.1:{_PORTS.registry}"
_ACTIVITY = f"http://127.0.0.1:{_PORTS.activity}"


@app.command()
def template(
    kind: Kind,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write it; .xlsx or .csv.")],
    organization: Organization = None,
    questionnaire: Questionnaire = None,
    registry_url: Registry = _REGISTRY,
    activity_url: Activity = _ACTIVITY,
) -> None:
    """Fetch an empty sheet; with --organization its people are in it to pick from."""
    extension = "csv" if out.suffix == ".csv" else "xlsx"
    base = activity_url if kind.journal else registry_url
    params = {"questionnaire": questionnaire} if questionnaire else {}
    content = _ask("GET", f"{base}/templates/{kind}.{extension}", params).content
    if kind.journal and organization and extension == "xlsx":
        place = f"{registry_url}/sheets/{kind}:people"
        content = _ask("POST", place, {"organization_id": organization}, content).content
    out.write_bytes(content)
    say(f"{out}  {len(content):,} bytes")


@app.command()
def upload(
    kind: Kind,
    file: Path,
    organization: Organization = None,
    questionnaire: Questionnaire = None,
    source: Annotated[str, typer.Option(help="The system the keys belong to.")] = "sheet",
    partial: Annotated[bool, typer.Option("--partial", help="Apply good rows only.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing.")] = False,
    utc_offset: Annotated[str, typer.Option(help="Of times, of sessions.")] = "+03:00",
    registry_url: Registry = _REGISTRY,
    activity_url: Activity = _ACTIVITY,
) -> None:
    """Send a filled-in sheet. What is wrong is told, and written into a copy beside it at the
    cells. Exit 0 taken, 1 something is wrong, 2 no answer."""
    try:
        content = file.read_bytes()
    except OSError as error:
        _fail(f"{file}: {error.strerror}")
    given: dict[str, Any] = {"source": source, "partial": partial, "dry_run": dry_run}
    if organization:
        given["organization_id"] = organization if kind.journal else organization[0]
    if not kind.journal:
        report = _report(_ask("POST", f"{registry_url}/sheets/{kind}", given, content))
        findings = report["findings"]
    else:
        report, findings = _forwarded(
            kind, content, given, (registry_url, activity_url), questionnaire, utc_offset
        )
    names = ("outcome", "rows", "created", "changed", "unchanged", "waiting", "repeated")
    say(", ".join(f"{name} {report[name]}" for name in names))
    if findings:
        _tell(kind, file, content, findings)
        raise typer.Exit(1)


def _forwarded(
    kind: Kind,
    content: bytes,
    given: dict[str, Any],
    urls: tuple[str, str],
    questionnaire: str | None,
    utc_offset: str,
) -> tuple[dict[str, Any], list[Any]]:
    """Through the registry, then on. Both say what is wrong; nobody else sees a name."""
    answer = _ask("POST", f"{urls[0]}/sheets/{kind}:resolve", given, content)
    if answer.status_code == 422:
        report = _report(answer)
        return report, report["findings"]
    resolved = answer.json()
    onward = {name: given[name] for name in ("source", "partial", "dry_run")}
    if kind is Kind.sessions:
        onward["utc_offset"] = utc_offset
    if kind is Kind.surveys and questionnaire:
        onward["questionnaire"] = questionnaire
    place = f"{urls[1]}/sheets/{kind}"
    report = _report(_ask("POST", place, onward, resolved["csv"].encode()))
    return report, [*resolved["report"]["findings"], *report["findings"]]


def _tell(kind: Kind, path: Path, content: bytes, found: list[Any]) -> None:
    """On the screen, and in a copy of the file."""
    file = reading.read(content)
    sheet = found[0]["sheet"]
    if kind.journal:  # the activity service has seen but a copy
        sheet = layout.find(journals.table(kind.value), file.grids, {})[0].sheet
    findings = [Finding(**{**each, "sheet": sheet}) for each in found]
    for each in findings:
        say(f"{each.column or ''}{each.row or ''}: {each.hint} [{each.code}]")
    copy = path.with_name(f"{path.stem}-errors.xlsx")
    copy.write_bytes(markup.marked(content, file, findings))
    say(f"{copy}")


def _report(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()
    report: dict[str, Any] = found["report"] if answer.status_code == 422 else found
    return report


def _ask(method: str, url: str, params: Any, content: bytes | None = None) -> httpx.Response:
    """A refusal other than of the sheet, or no answer, is told and ends with exit code 2."""
    try:
        answer = httpx.request(
            method, url, params=params, content=content, headers=headers(), timeout=300
        )
    except httpx.HTTPError as error:
        _fail(f"{url}: {type(error).__name__}: {error}")
    if answer.is_error:
        problem = answer.json()
        if problem.get("code") != "sheet.refused":
            _fail(f"{problem.get('code')}: {problem.get('detail')}")
    return answer


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
