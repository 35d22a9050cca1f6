"""The archive: which entries it holds, and their bytes and rows as streams within the limits."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Container, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from nastavnik_registry.imports import older
from nastavnik_registry.imports.archive import (
    BROKEN,
    check_size,
    check_total,
    checked_entries,
    open_zip,
    shown,
    size_of,
    zip_error,
)
from nastavnik_registry.imports.csvfile import Block, CsvError, scan
from nastavnik_registry.imports.findings import Finding, PackageError
from nastavnik_registry.imports.limits import KIB, Limits

Source = str | os.PathLike[str] | BinaryIO

CHUNK = 64 * KIB  # measured: blocks of more rows are slower, they leave the cache


def open_package(source: Source, limits: Limits | None = None) -> Package:
    """Open an archive and check its entries; raises PackageError with a `zip.*` finding.

    `source` is a path or a seekable binary file. Use the result as a context manager.
    """
    limits = limits or Limits()
    if not isinstance(source, str | os.PathLike):
        return Package(source, limits, owned=False)
    try:
        file = Path(source).open("rb")  # noqa: SIM115 - closed by Package
    except IsADirectoryError:
        raise zip_error("invalid_archive", "expected a zip archive, found a folder") from None
    try:
        return Package(file, limits, owned=True)
    except BaseException:
        file.close()
        raise


class Package:
    """An opened archive. `names` are its entries, all at the root and distinct; of an `older` one,
    those that 1.2 would have."""

    def __init__(self, file: BinaryIO, limits: Limits, *, owned: bool) -> None:
        self.limits = limits
        self._file = file
        self._owned = owned
        self._total = 0
        self._counted: dict[str, int] = {}
        self._zip = open_zip(file, limits)
        self._entries = checked_entries(self._zip, size_of(file), limits)
        self.older = older.recognised(tuple(self._entries), self._scan)

    @property
    def names(self) -> tuple[str, ...]:
        return older.names(tuple(self._entries)) if self.older else tuple(self._entries)

    def size(self, name: str) -> int:
        """Bytes of an entry as the archive declares it; reading stops beyond that."""
        return self._entries[name].file_size

    def blocks(self, name: str) -> Iterator[Block]:
        """The lines of an entry as rows, the header first. Raises CsvError and PackageError."""
        return older.blocks(name, self._scan) if self.older else self._scan(name)

    def _scan(self, name: str) -> Iterator[Block]:
        return scan(self.chunks(name), self.limits.max_line)

    def rows(
        self, file_name: str, bad: Container[int] = ()
    ) -> Iterator[tuple[int, dict[str, str]]]:
        """(line, values by header) of each data row of a checked file.

        Raises KeyError if the package has no such file, PackageError if it cannot be read or if a
        row is not as wide as the header. Of such a row whose line is known to be `bad`, only the
        first column is given.
        """
        header: list[str] = []
        try:
            for first, rows in self.blocks(file_name):
                start = 0 if header else 1
                header = header or rows[0]
                width = len(header)
                for line, row in enumerate(rows[start:], first + start):
                    if len(row) != width:
                        if line not in bad:
                            raise PackageError(Finding("table.row_width_mismatch", file_name, line))
                        yield line, {header[0]: row[0]}
                        continue
                    yield line, dict(zip(header, row, strict=True))
        except CsvError as error:
            problem = error.problem
            raise PackageError(
                Finding(problem.code, file_name, error.line, "", problem.message, problem.hint)
            ) from error

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of an entry, counted against the limits as they come."""
        info = self._entries[name]
        size = 0
        try:
            with self._zip.open(info) as stream:
                while chunk := stream.read(CHUNK):
                    size += len(chunk)
                    self._count(info, size)
                    yield chunk
            if size != info.file_size:
                raise zipfile.BadZipFile("another size than declared")
        except BROKEN as error:
            message = f"the entry {shown(name)} is damaged"
            raise zip_error("invalid_archive", message, "Make the archive anew.") from error

    def _count(self, info: zipfile.ZipInfo, size: int) -> None:
        check_size(info, size, self.limits)
        self._total += max(0, size - self._counted.get(info.filename, 0))
        self._counted[info.filename] = max(size, self._counted.get(info.filename, 0))
        check_total(self._total, self.limits)

    def close(self) -> None:
        self._zip.close()
        if self._owned:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
