"""docs/target-model.md as data: its tables, row by row, the names in them apart."""

import re
from collections.abc import Iterator

import msgspec

HEADER = ("cell", "entity", "events", "indicators", "test")
_NAME = re.compile(r"`([^`]+)`")


class Row(msgspec.Struct, frozen=True):
    """One cell of the target model, under the heading of its part."""

    line: int
    part: str
    cell: str
    entities: tuple[str, ...]
    events: tuple[str, ...]
    indicators: tuple[str, ...]
    tests: tuple[str, ...]


class TargetModelError(ValueError):
    """The document is not built as it should be; the message names the line."""


def rows(text: str) -> list[Row]:
    """Every row of every table, in order."""
    return list(_rows(text))


def _rows(text: str) -> Iterator[Row]:
    part = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("## "):
            part = line.removeprefix("## ")
        if not line.startswith("|") or set(line) <= set("|- "):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if tuple(cells) == HEADER:
            continue
        if len(cells) != len(HEADER):
            raise TargetModelError(f"line {number}: {len(cells)} columns instead of {len(HEADER)}")
        names = [tuple(_NAME.findall(cell)) for cell in cells[1:]]
        if empty := [name for name, found in zip(HEADER[1:], names, strict=True) if not found]:
            raise TargetModelError(f"line {number}: nothing is named under {', '.join(empty)}")
        yield Row(number, part, cells[0], *names)
