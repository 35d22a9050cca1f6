"""Rosters pulled from OneRoster 1.2 providers, and handed to the imports as packages.

A pull is of everything, or of what changed since the last one. Its rows become a CSV package, so
checks, guards, findings and events are those of every other import of the source.
"""

from nastavnik_registry.pulling.pulls import Pulls
from nastavnik_registry.pulling.routes import router

__all__ = ["Pulls", "router"]
