"""The check of a OneRoster 1.2 CSV package: one pass, in bounded memory.

Held in memory are the sets of sourcedIds, the pairs of user and organisation with a primary role,
the references within a file that point forward, and at most `max_findings` findings per file.

Faults are not reported twice. Where a file cannot be read, or not all its ids, references to it are
not judged; where the manifest leaves a file's mode in doubt, the file is not judged. References of
delta files, and of bulk files to delta files, cannot be judged from the package alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from nastavnik_registry.imports.csvfile import CsvError
from nastavnik_registry.imports.findings import (
    Bucket,
    FileReport,
    Finding,
    PackageError,
    Problem,
    Report,
)
from nastavnik_registry.imports.limits import Limits
from nastavnik_registry.imports.manifest import MANIFEST, Manifest, disagreement, read_manifest
from nastavnik_registry.imports.package import Package, Source, open_package
from nastavnik_registry.imports.schema import FILES, READING_ORDER, TABLES, TARGETS
from nastavnik_registry.imports.tablecheck import TableCheck, World

Progress = Callable[[str, int], None]  # file, rows checked so far


class Frames(Protocol):
    def check(self, package: Package, file: str, world: World, tick: Progress | None) -> int:
        """How many rows the file has, if it is surely clean; else 0: nobody knows yet."""


NO_MANIFEST = Problem(
    "package.missing_manifest",
    "expected manifest.csv, found no such file",
    "Packages of OneRoster 1.0 have none; export the package as 1.2.",
)


def check(
    source: Source,
    limits: Limits | None = None,
    progress: Progress | None = None,
    own: Mapping[str, frozenset[str]] = {},
    frames: Frames | None = None,
) -> Report:
    """Check a package, given by path or as a seekable binary file.

    `own`: words agreed with the sender, by vocabulary (`role`, `orgType`). `frames`: a faster way
    for the files of people, which keeps their columns. A fault of the archive is the only finding
    of its report. Raises OSError if the file cannot be opened at all.
    """
    limits = limits or Limits()
    try:
        with open_package(source, limits) as package:
            return _Check(package, limits, progress, own, frames).run()
    except PackageError as error:
        return Report(valid=False, findings=(error.finding,), total=1)


class _Check:
    def __init__(
        self,
        package: Package,
        limits: Limits,
        progress: Progress | None,
        own: Mapping[str, frozenset[str]],
        frames: Frames | None,
    ) -> None:
        self._own, self._frames = own, frames
        self._package, self._keep, self._progress = package, limits.max_findings, progress
        self._buckets = {name: Bucket(name, self._keep) for name in ("", MANIFEST, *FILES)}
        self._rows: dict[str, int] = {}
        self._variants: dict[str, str] = {}

    def run(self) -> Report:
        self._check_names()
        if MANIFEST not in self._package.names:
            self._buckets[MANIFEST].add(NO_MANIFEST)
            return self._report(Manifest())
        manifest = read_manifest(self._package, self._buckets[MANIFEST])
        if manifest.readable:
            world = World(manifest.modes, self._agreed(manifest), self._own)
            for name in READING_ORDER:
                self._check_file(f"{name}.csv", world)
        return self._report(manifest)

    def _check_names(self) -> None:
        known = {name.casefold(): name for name in (MANIFEST, *FILES)}
        for name in self._package.names:
            same = known.get(name.casefold(), "")
            if name == same:
                continue
            if same in self._package.names:
                message = "the archive has the file twice, its name in other letters"
                self._buckets[same].add(Problem("package.duplicate_file", message, value=name[:80]))
                continue
            hint = f"Name it {same}." if same else "Only the 21 data files and manifest.csv."
            message = "the archive has a file that OneRoster 1.2 does not know"
            problem = Problem("package.unknown_file", message, hint, name[:80])
            self._buckets[""].add(problem)

    def _agreed(self, manifest: Manifest) -> set[str]:
        """The files of which the manifest and the archive say the same."""
        agreed = set()
        for file, mode in manifest.modes.items():
            problem = disagreement(mode, file in self._package.names)
            if problem is None:
                agreed.add(file)
            else:
                self._buckets[file].add(problem)
        return agreed

    def _check_file(self, file: str, world: World) -> None:
        mode = world.modes.get(file, "absent")
        if mode == "absent" or file not in world.sound:
            return
        if mode == "bulk" and self._frames is not None:
            rows = self._frames.check(self._package, file, world, self._progress)
            if rows:
                self._rows[file] = rows
                return
        bucket = self._buckets[file]
        table = TableCheck(TABLES[file.removesuffix(".csv")], mode, world, bucket)
        try:
            empty = self._feed(file, table)
        except CsvError as error:
            bucket.add(error.problem, error.line)
            table.unreadable()
        else:
            if empty:
                message = "expected a header, found an empty file"
                bucket.add(Problem("table.missing_header", message), 1)
                table.unreadable()
            else:
                table.finish()
        if file not in TARGETS:
            del world.ids[file]
        self._rows[file] = table.rows
        if table.variant:
            self._variants[file] = table.variant

    def _feed(self, file: str, table: TableCheck) -> bool:
        """Pass the rows on; whether there were none, not even a header."""
        empty = True
        for first, rows in self._package.blocks(file):
            if empty:
                empty = False
                table.header(rows[0])
                table.block(first + 1, rows[1:])
            else:
                table.block(first, rows)
            if self._progress is not None:
                self._progress(file, table.rows)
        return empty

    def _report(self, manifest: Manifest) -> Report:
        total = sum(bucket.total for bucket in self._buckets.values())
        findings: list[Finding] = []
        for bucket in self._buckets.values():
            findings += bucket.first()[: self._keep - len(findings)]
        files = [
            FileReport(name, manifest.modes[name], self._rows[name])
            for name in FILES
            if name in self._rows
        ]
        return Report(
            valid=not total,
            findings=tuple(findings),
            total=total,
            files=tuple(files),
            versions={**manifest.versions, **self._variants, **self._older()},
            warnings=tuple(self._warnings(manifest)),
        )

    def _older(self) -> dict[str, str]:
        return {"oneroster": "1.1"} if self._package.older else {}

    def _warnings(self, manifest: Manifest) -> list[Finding]:
        warnings = []
        if self._package.older:
            message = "OneRoster 1.1, read as 1.2: roles come from users.csv, gradebook is left out"
            warnings.append(Finding("warning.older_version", message=message))
        for file, version in self._variants.items():
            message = (
                f"the columns are those of OneRoster {version}; 1.2.1 has no resourceSourcedIds"
            )
            warnings.append(Finding("warning.older_columns", file, 1, "", message))
        bulk = manifest.modes.get("users.csv") == "bulk"
        if bulk and "users.csv" in self._rows and "roles.csv" not in self._rows:
            message = "users without roles.csv: nobody is known as a pupil or a teacher"
            warnings.append(Finding("warning.users_without_roles", "users.csv", message=message))
        return warnings
