"""`nastavnik token`: a token for a system that runs on this machine for development."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from nastavnik_common import auth_development
from nastavnik_common.auth import Role
from nastavnik_local import tokens


def token(
    role: Annotated[list[Role], typer.Option(help="What it may do; give it once or more often.")],
    unit: Annotated[
        UUID | None, typer.Option(help="For this org unit and all below it; else for all.")
    ] = None,
    minutes: Annotated[float, typer.Option(min=1, help="How long it is good.")] = 60,
    subject: Annotated[str, typer.Option(help="Who it is for.")] = "developer",
    data_dir: Annotated[Path, typer.Option(help="Of the running system.")] = Path(".data"),
) -> None:
    """Print a bearer token that a system started by `nastavnik run` takes. For development: the
    key that signs it lies in the data directory."""
    grants = [(each, unit) for each in role]
    directory = tokens.keys(data_dir.resolve())
    typer.echo(auth_development.token(directory, grants, subject=subject, minutes=minutes))
