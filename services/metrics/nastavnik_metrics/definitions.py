"""The catalogue in force. It can be read anew while the service runs."""

from pathlib import Path

from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_metrics import catalogue
from nastavnik_metrics.catalogue import Catalogue, CatalogueError


class Definitions:
    """Indicators may come, go and change at any time: they are evaluated when values are read.
    Measures may not, they are what the cells were folded by: they change with a rebuild."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.catalogue: Catalogue = catalogue.load(path)

    def reload(self) -> Catalogue:
        """Read the file again. What is broken is refused, and the old catalogue stays."""
        try:
            new = catalogue.load(self._path)
        except (CatalogueError, OSError) as error:
            raise DomainError("catalogue.broken", str(error)) from error
        if (new.measures, new.census) != (self.catalogue.measures, self.catalogue.census):
            raise ConflictError(
                "catalogue.measures_changed",
                "Measures or the census date differ from those the cells were folded by.",
            )
        self.catalogue = new
        return new
