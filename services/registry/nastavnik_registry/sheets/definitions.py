"""The tables of the registry's sheets."""

from functools import cache
from importlib import resources
from typing import Literal

from nastavnik_common.sheets.table import Table, load

Name = Literal["participants", "headcounts"]


@cache
def table(name: Name) -> Table:
    return load(resources.files(__package__).joinpath(f"{name}.toml"))
