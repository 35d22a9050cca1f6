"""The catalogue of indicators: data in a closed vocabulary, checked when it is loaded."""

from nastavnik_metrics.catalogue.loading import CatalogueError, load
from nastavnik_metrics.catalogue.model import Catalogue

__all__ = ["Catalogue", "CatalogueError", "load"]
