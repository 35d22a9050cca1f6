"""OneRoster 1.2 rostering over HTTP, read-only: what the registry holds, for others to take.

Org units are orgs, participants users; a `sourcedId` is our own id, and stays. Classes, courses,
enrollments and academic sessions are no part of the registry: their collections are empty.
"""

from nastavnik_registry.oneroster.errors import refused
from nastavnik_registry.oneroster.routes import PREFIX, router

__all__ = ["PREFIX", "refused", "router"]
