"""A table as data: its columns, what they are called, what their cells hold."""

import tomllib
from importlib.abc import Traversable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from nastavnik_common.sheets.words import fold

Kind = Literal[
    "text",
    "key",
    "date",
    "time",
    "integer",
    "hours",
    "choice",
    "choices",
    "snils",
    "inn",
    "ogrn",
    "email",
    "school_year",
    "person",
    "people",
    "organization",
]
Field = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")]


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`choices`: code → what people write, the first of which is shown; with `codes` any other
    code, too, for the service to know. `low`, `high`: bounds of a number."""

    field: Field
    title: str
    kind: Kind = "text"
    required: bool = False
    synonyms: tuple[str, ...] = ()
    note: str = ""
    examples: tuple[str, ...] = ()
    choices: dict[str, tuple[str, ...]] = {}
    codes: bool = False
    low: int | None = None
    high: int | None = None
    longest: int = 255

    def names(self) -> set[str]:
        """All it may be called, folded."""
        return {fold(name) for name in (self.field, self.title, *self.synonyms)}


class Problem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a refusal of the service is said, and of which field it speaks."""

    hint: str
    field: Field | None = None


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`identity`: fields that together name a row; a row without them is told by its content."""

    name: str
    title: str
    about: tuple[str, ...]
    columns: tuple[Column, ...]
    identity: tuple[Field, ...]
    max_rows: int = 5_000
    problems: dict[str, Problem] = {}

    def column(self, field: str) -> Column:
        return next(column for column in self.columns if column.field == field)


def load(path: Traversable) -> Table:
    """The table of a TOML file. ValueError where it does not hold together."""
    try:
        table = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Table)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"{path.name}: {error}") from error
    return checked(table)


def checked(table: Table) -> Table:
    """The same. ValueError when two columns share a name, or a field is spoken of that is none."""
    seen: dict[str, str] = {}
    for column in table.columns:
        for name in column.names():
            if seen.setdefault(name, column.field) != column.field:
                raise ValueError(f"{table.name}: {name!r} names {seen[name]} and {column.field}")
    fields = {column.field for column in table.columns}
    spoken = {p.field for p in table.problems.values() if p.field} | set(table.identity)
    if not spoken <= fields:
        raise ValueError(f"{table.name}: no such fields: {sorted(spoken - fields)}")
    return table
