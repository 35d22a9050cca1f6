"""What every kind of file can do."""

from collections.abc import Iterable, Iterator
from typing import IO, Protocol

from nastavnik_metrics.exports.rows import Row

PIECE = 64 * 1024


class Sheet(Protocol):
    """Takes rows and becomes a file. It grows on disk, not in memory, and is sent when it is
    whole: what failed half-way is an error, never a shorter table."""

    media_type: str

    def add(self, rows: Iterable[Row]) -> None: ...

    def finished(self) -> IO[bytes]:
        """The file, at its beginning; to be closed by the caller."""
        ...


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """The content, and then the file is closed."""
    with file:
        while piece := file.read(PIECE):
            yield piece
