"""An entry of a package as blocks of columns."""

from collections.abc import Iterator, Sequence

import polars as pl

from nastavnik_registry.imports.csvfile import CsvError, parse, whole_lines
from nastavnik_registry.imports.package import Package

_BLOCK = 8 * 1024 * 1024  # bytes; the columns of one are a few times that
_SEPARATORS = (b"\0", b"\x1e", b"\x1f")  # of no text; hashes are of texts joined by them


class UnsureError(Exception):
    """The file is to be judged row by row."""


def blocks(package: Package, file: str) -> Iterator[tuple[int, pl.DataFrame]]:
    """(line of the first row, columns named by their place) of a file, the header first.

    Raises UnsureError where the rows are not all as wide as the header, and PackageError.
    """
    line, width = 1, 0
    try:
        for piece in _pieces(package, file):
            if not width:
                rows = [
                    row for block in parse(piece[: piece.index(b"\n") + 1], 1) for row in block.rows
                ]
                width = len(rows[0])
            frame = _frame(piece, line, width)
            yield line, frame
            line += frame.height
    except (CsvError, ValueError, pl.exceptions.PolarsError) as error:
        raise UnsureError from error


def _pieces(package: Package, file: str) -> Iterator[bytes]:
    """Some megabytes of whole lines each."""
    parts: list[bytes] = []
    size = 0
    for piece in whole_lines(package.chunks(file), package.limits.max_line):
        parts.append(piece)
        size += len(piece)
        if size >= _BLOCK:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)


def _frame(piece: bytes, line: int, width: int) -> pl.DataFrame:
    if any(separator in piece for separator in _SEPARATORS):
        raise UnsureError
    if b'"' in piece:
        return _parsed([row for block in parse(piece, line) for row in block.rows], width)
    lines = piece.count(b"\n") + (not piece.endswith(b"\n"))
    if piece.count(b"\r") != piece.count(b"\r\n") or piece.count(b",") != lines * (width - 1):
        raise UnsureError
    # no line is wider, polars sees to that, so none is narrower either
    frame = pl.read_csv(
        piece,
        has_header=False,
        schema={str(at): pl.String for at in range(width)},
        quote_char=None,
        empty_string_is_null=False,
        extra_columns="raise",
    )
    if frame.height != lines:
        raise UnsureError
    return frame


def _parsed(rows: Sequence[Sequence[str]], width: int) -> pl.DataFrame:
    if set(map(len, rows)) != {width}:
        raise UnsureError
    columns = zip(*rows, strict=True)
    return pl.DataFrame({str(at): values for at, values in enumerate(columns)})
