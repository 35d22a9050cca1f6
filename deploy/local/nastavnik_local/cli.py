"""The `nastavnik` command."""

import asyncio
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from nastavnik_local import (
    cli_check,
    cli_letters,
    cli_run,
    cli_sheets,
    cli_token,
    contract_files,
    contract_gate,
)
from nastavnik_local.cli_run import Sample
from nastavnik_local.cli_system import Ports
from nastavnik_local.console import say
from nastavnik_local.errors import LaunchError
from nastavnik_local.sample import write_packages
from nastavnik_local.scenario_api import ScenarioError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
contract_app = typer.Typer(no_args_is_help=True, help="The generated documents under docs/.")
app.add_typer(contract_app, name="contract")
app.add_typer(cli_letters.app, name="dead-letters")
app.add_typer(cli_sheets.app, name="sheet")
app.command()(cli_token.token)


class ScaleName(StrEnum):
    sample = "sample"
    region = "region"


class Language(StrEnum):
    ru = "ru"
    en = "en"


class ServiceName(StrEnum):
    registry = "registry"
    activity = "activity"
    metrics = "metrics"


Scale = Annotated[ScaleName, typer.Option(help="Size of the sample region.")]
Seed = Annotated[int, typer.Option(help="Another seed, another region.")]
Docs = Annotated[Path, typer.Option(help="Where the documents are.")]


@app.callback()
def main() -> None:
    """Exact, explainable figures of school mentoring programmes."""


@app.command()
def run(
    scale: Scale = ScaleName.sample,
    seed: Seed = 1,
    data_dir: Annotated[Path, typer.Option(help="Databases, logs, packages.")] = Path(".data"),
    registry_port: int = Ports().registry,
    activity_port: int = Ports().activity,
    metrics_port: int = Ports().metrics,
    kafka_port: int = Ports().kafka,
    fresh: Annotated[bool, typer.Option("--fresh/--keep", help="Begin anew.")] = False,
) -> None:
    """Run the whole system here, with the sample region at work in it, until Ctrl-C."""
    ports = Ports(registry_port, activity_port, metrics_port, kafka_port)
    try:
        cli_run.run(data_dir.resolve(), _sample(scale, seed), ports, fresh=fresh)
    except KeyboardInterrupt:
        say("Stopped.")
    except (LaunchError, ScenarioError) as error:
        _fail(str(error))


@app.command()
def demo(
    scale: Scale = ScaleName.sample,
    seed: Seed = 1,
    data_dir: Annotated[
        Path | None, typer.Option(help="An empty directory; a temporary one if not given.")
    ] = None,
    registry_port: int = 0,
    activity_port: int = 0,
    metrics_port: int = 0,
    kafka_port: int = 0,
) -> None:
    """Play the scenario, recount every figure independently, and exit: 0 equal, 1 not."""
    ports = Ports(registry_port, activity_port, metrics_port, kafka_port)
    if data_dir and data_dir.exists() and any(data_dir.iterdir()):
        _fail(f"{data_dir} is not empty", 2)
    try:
        passed = cli_run.demo(data_dir and data_dir.resolve(), _sample(scale, seed), ports)
    except KeyboardInterrupt:
        _fail("Stopped.", 130)
    except (LaunchError, ScenarioError) as error:
        _fail(str(error))
    raise typer.Exit(0 if passed else 1)


@app.command()
def check(
    package: Annotated[Path, typer.Argument(help="A OneRoster 1.2 CSV package.")],
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page there as well.")] = None,
    lang: Annotated[Language, typer.Option(help="Of the page and the table.")] = Language.en,
) -> None:
    """Check a OneRoster package: exit 0 valid, 1 not valid, 2 no such file."""
    try:
        report = cli_check.checked(package, quiet=json)
    except OSError as error:
        _fail(f"{package}: {error.strerror}", 2)
    if html is not None:
        cli_check.as_page(package, report, html, lang.value)
    if json:
        cli_check.as_json(report)
    else:
        cli_check.as_table(package, report, lang.value)
    raise typer.Exit(0 if report.valid else 1)


@app.command()
def sample(outdir: Path, scale: Scale = ScaleName.sample, seed: Seed = 1) -> None:
    """Write the sample region's OneRoster packages into a directory."""
    region = _sample(scale, seed).region()
    write_packages(region, outdir, lambda path: say(f"{path}  {path.stat().st_size:,} bytes"))


@contract_app.command("write")
def contract_write(docs: Docs = Path("docs")) -> None:
    """Generate them anew."""
    for path in contract_files.write(docs):
        say(f"{'wrote' if path.exists() else 'removed'} {path}")


@contract_app.command("check")
def contract_check(docs: Docs = Path("docs")) -> None:
    """Exit 1, saying why, if any is not as it would be generated, or breaks what was released."""
    if reasons := contract_gate.objections(docs):
        _fail("the event contract may not change so:\n" + "\n".join(reasons))
    if found := contract_files.stale(docs):
        names = ", ".join(map(str, found))
        _fail(f"not as generated: {names}; `nastavnik contract write` puts it right")


@app.command()
def migrate(service: ServiceName) -> None:
    """Bring a service's database up to date (NASTAVNIK_DATABASE_URL)."""
    from nastavnik_common import db  # noqa: PLC0415 - alembic is slow to import
    from nastavnik_common.settings import Settings  # noqa: PLC0415

    db.migrate(Settings(), f"nastavnik_{service}")


@app.command()
def topics() -> None:
    """Create the topics that are missing (NASTAVNIK_KAFKA_BOOTSTRAP_SERVERS)."""
    from nastavnik_common.kafka import ensure_topics  # noqa: PLC0415 - as above
    from nastavnik_common.settings import Settings  # noqa: PLC0415

    asyncio.run(ensure_topics(Settings(database_url="")))


def _sample(scale: ScaleName, seed: int) -> Sample:
    return Sample(seed, str(scale), date.today())  # noqa: DTZ011 - the day at this place


def _fail(message: str, code: int = 1) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
