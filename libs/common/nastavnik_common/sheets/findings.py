"""What is wrong with a sheet, and where. No finding repeats a cell: it could be personal."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import msgspec
from openpyxl.utils import get_column_letter


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`row` counts from 1, `column` is a letter. None: it is of the whole sheet, or row."""

    sheet: str
    row: int | None = None
    column: str | None = None
    field: str | None = None
    code: str
    hint: str


class CellError(Exception):
    """A cell does not hold what it should. `facts` fill the hint; never the cell's own content."""

    def __init__(self, code: str, /, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


class SheetError(Exception):
    """The file as a whole cannot be read."""

    def __init__(self, code: str, /, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def hint(code: str, /, **facts: Any) -> str:
    """The sentence for people, in Russian."""
    return _hints()[code].format(**facts)


def letter(index: int) -> str:
    """0 → A."""
    return get_column_letter(index + 1)


@cache
def _hints() -> dict[str, str]:
    text = resources.files(__package__).joinpath("hints.toml").read_text(encoding="utf-8")
    found: dict[str, str] = tomllib.loads(text)["hints"]
    return found
