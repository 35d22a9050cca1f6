"""Roster imports: what a package must keep to, checked before anything is written.

`check` judges a OneRoster 1.2 CSV package; `open_package` reads the rows of a clean one. Both are
pure: no database, no framework, bounded memory, so that the same code serves the API and the
command line.
"""

from nastavnik_registry.imports.findings import FileReport, Finding, PackageError, Report
from nastavnik_registry.imports.limits import Limits
from nastavnik_registry.imports.manifest import Manifest, manifest_of
from nastavnik_registry.imports.oneroster import Progress, check
from nastavnik_registry.imports.package import Package, Source, open_package

__all__ = [
    "FileReport",
    "Finding",
    "Limits",
    "Manifest",
    "Package",
    "PackageError",
    "Progress",
    "Report",
    "Source",
    "check",
    "manifest_of",
    "open_package",
]
