"""The tables of what people do together, known to two services: the activity service, which keeps
it, and the registry, which puts ids in the place of names before anything is sent there."""

from functools import cache
from importlib import resources
from typing import Literal, get_args

from nastavnik_common.sheets.table import Table, load

Journal = Literal["mentorships", "sessions", "surveys"]
NAMES: tuple[Journal, ...] = get_args(Journal)


@cache
def table(name: Journal) -> Table:
    return load(resources.files(__package__).joinpath(f"{name}.toml"))
