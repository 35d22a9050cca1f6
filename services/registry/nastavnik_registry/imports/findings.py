"""What the checker says: findings with stable codes, and the report they make up.

No finding repeats a value out of a data row. It says what was expected and what kind of thing stood
there instead, so that a report can be mailed, logged and shown without carrying personal data.
"""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One fault, at one place.

    `line` counts physical lines from 1, the header being line 1; None where the fault belongs to a
    whole file or to the package. `column` is a header name. `value` is set only for what cannot be
    personal: names of files, headers, manifest properties and sizes.
    """

    code: str
    file: str = ""
    line: int | None = None
    column: str = ""
    message: str = ""
    hint: str = ""
    value: str | None = None

    def __str__(self) -> str:
        return f"{self.code}@{self.file}:{self.line or ''}:{self.column}"


class FileReport(msgspec.Struct, frozen=True):
    """A file the manifest declares: `mode` is bulk or delta, `rows` its data rows."""

    name: str
    mode: str
    rows: int


class Report(msgspec.Struct, frozen=True):
    """The outcome of a check.

    `findings` are the first ones in the order package, manifest, files by name, line, column;
    `total` counts all of them. `warnings` do not make a package invalid. `versions` maps
    `manifest`, `oneroster` and, where a variant was recognised, a file name to its version.
    """

    valid: bool
    findings: tuple[Finding, ...] = ()
    total: int = 0
    files: tuple[FileReport, ...] = ()
    versions: dict[str, str] = {}
    warnings: tuple[Finding, ...] = ()


class PackageError(Exception):
    """The package cannot be read further; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding}: {finding.message}")
        self.finding = finding


class Problem(msgspec.Struct, frozen=True):
    """A fault of a value, not yet at a place."""

    code: str
    message: str
    hint: str = ""
    value: str | None = None


class Bucket:
    """The findings of one file: keeps the first `keep` by line and column, counts all."""

    def __init__(self, file: str, keep: int) -> None:
        self.file = file
        self.total = 0
        self._keep = keep
        self._kept: list[tuple[int, int, Finding]] = []
        self._last = -1  # the last line kept, once full

    def add(self, problem: Problem, line: int | None = None, column: str = "", at: int = 0) -> None:
        """Record `problem`; `at` is the position of `column`, by which a line is ordered."""
        self.total += 1
        where = line or 0
        if self._last >= 0 and where > self._last:
            return
        finding = Finding(
            problem.code, self.file, line, column, problem.message, problem.hint, problem.value
        )
        self._kept.append((where, at, finding))
        if len(self._kept) >= 2 * self._keep + 64:
            self._trim()

    def first(self) -> list[Finding]:
        """The kept findings in order."""
        self._trim()
        return [finding for _, _, finding in self._kept]

    def _trim(self) -> None:
        self._kept.sort(key=lambda entry: entry[:2])
        del self._kept[self._keep :]
        if len(self._kept) == self._keep:
            self._last = self._kept[-1][0] if self._kept else 0
