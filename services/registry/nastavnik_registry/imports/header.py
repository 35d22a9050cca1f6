"""The header of a data file: names, order, extension columns."""

from __future__ import annotations

from nastavnik_registry.imports.findings import Bucket, Problem

METADATA = "metadata."
LINE = 1


def check_header(header: list[str], expected: list[str], bucket: Bucket) -> bool:
    """Whether the columns stand where `expected` has them, so that rows can be checked.

    Place by place, as the conformance vocabulary has it: a name left out shifts all after it, and
    each of them is reported. Names that are no names of the standard are not repeated if the header
    has none that are: it may be a row of data.
    """
    before = bucket.total
    _check_names(header, bucket, shown=not set(expected).isdisjoint(header))
    if bucket.total == before:
        _check_order(header, expected, bucket)
    return bucket.total == before


def _check_names(header: list[str], bucket: Bucket, shown: bool) -> None:
    seen: set[str] = set()
    for at, name in enumerate(header):
        column = name if shown else ""
        if not name:
            message = f"expected a name in column {at + 1} of the header, found none"
            bucket.add(Problem("table.empty_header_name", message), LINE, "", at)
        elif name in seen:
            message = f"the name in column {at + 1} of the header has been used before"
            bucket.add(Problem("table.duplicate_header", message), LINE, column, at)
        seen.add(name)


def _check_order(header: list[str], expected: list[str], bucket: Bucket) -> None:
    missing = [name for name in expected if name not in header]
    for at, name in enumerate(expected):
        actual = header[at] if at < len(header) else None
        if actual is not None and actual != name:
            bucket.add(_misplaced(actual, name, missing), LINE, name, at)
    beyond = expected[len(header) :]
    for name in dict.fromkeys([*beyond, *missing]):
        message = f"expected a column {name} in its place, found none"
        hint = "Columns may be empty but not left out; names are case-sensitive."
        at = expected.index(name)
        bucket.add(Problem("schema.missing_header", message, hint), LINE, name, at)
    shown = len(missing) < len(expected)
    for at, name in enumerate(header[len(expected) :], len(expected)):
        if not _is_metadata(name):
            message = f"expected extension columns named {METADATA}…, found another name"
            problem = Problem("schema.invalid_metadata_header", message)
            bucket.add(problem, LINE, name if shown else "", at)


def _misplaced(actual: str, name: str, missing: list[str]) -> Problem:
    if _is_metadata(actual):
        message = f"expected {name} here, found an extension column"
        return Problem("schema.metadata_column_position", message, "Move it to the right end.")
    hint = f"Missing are: {', '.join(missing)}." if missing else "Keep the order of the standard."
    return Problem("schema.header_order_mismatch", f"expected {name} here, found another", hint)


def _is_metadata(name: str) -> bool:
    return name.startswith(METADATA) and len(name) > len(METADATA)
