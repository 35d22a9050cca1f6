"""A pull's rows as a OneRoster CSV package, to be checked and imported as all packages are."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path

from nastavnik_registry.imports.schema import TABLES
from nastavnik_registry.pulling import rows
from nastavnik_registry.pulling.rows import HEADERS, Cells
from nastavnik_registry.pulling.spool import Row, Spool

Wanted = Callable[[Row], bool]
_BLOCK = 500


def bulk(spool: Spool, path: Path) -> bool:
    """Everything that is active. False: nothing is, and there is no package."""
    with spool.busy:
        return _write(path, "bulk", _tables(spool, None, lambda row: not rows.is_gone(row)))


def gone(spool: Spool, path: Path, at: datetime) -> bool:
    """Changes: what is to be deleted, which a bulk package cannot say."""
    with spool.busy:
        return _write(path, "delta", _tables(spool, at, rows.is_gone))


def changes(spool: Spool, path: Path, at: datetime, ended: Iterable[Cells]) -> bool:
    """`ended`: rows of roles that are there no more."""
    with spool.busy:
        tables = _tables(spool, at, lambda row: True)
        tables["roles"] = chain(ended, tables["roles"])
        return _write(path, "delta", tables)


def _tables(spool: Spool, at: datetime | None, wanted: Wanted) -> dict[str, Iterator[Cells]]:
    """In the order of the archive. A birth date that is to be deleted stays: no figure asks."""

    def of(collection: str) -> Iterator[Row]:
        return (row for row in spool.rows(collection) if wanted(row))

    return {
        "orgs": (rows.org(row, at) for row in of("orgs")),
        "users": (rows.user(row, at) for row in of("users")),
        "roles": (cells for row in of("users") for cells in rows.roles(row, at)),
        "demographics": (
            rows.demographics(row, at) for row in of("demographics") if not rows.is_gone(row)
        ),
    }


def _write(path: Path, mode: str, tables: dict[str, Iterator[Cells]]) -> bool:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        written = [name for name, cells in tables.items() if _table(archive, name, cells)]
        modes = {name: mode if name in written else "absent" for name in TABLES}
        lines = [
            ("propertyName", "value"),
            ("manifest.version", "1.0"),
            ("oneroster.version", "1.2"),
            *((f"file.{name}", word) for name, word in modes.items()),
        ]
        archive.writestr("manifest.csv", _csv(lines))
    if not written:
        path.unlink()
    return bool(written)


def _table(archive: zipfile.ZipFile, name: str, cells: Iterator[Cells]) -> bool:
    """False: there is no row, and so no file."""
    first = next(cells, None)
    if first is None:
        return False
    header = HEADERS[name]
    with archive.open(f"{name}.csv", "w", force_zip64=True) as file:
        file.write(_csv([header]))
        block = []
        for row in chain([first], cells):
            block.append([row.get(column, "") for column in header])
            if len(block) == _BLOCK:
                file.write(_csv(block))
                block = []
        file.write(_csv(block))
    return True


def _csv(lines: Iterable[Iterable[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue().encode()
