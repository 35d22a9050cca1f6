"""Faults that show only when a package meets the registry, and records set aside because of any.

Where the source allows an import in parts, a fault that can be told to belong to one record sets
that record aside, with all its rows, and the rest goes on. Any other fault refuses the package.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from nastavnik_registry.imports.findings import Finding, Report
from nastavnik_registry.imports.values import is_guid

_KEEP = 1000
LONGEST = 255
PERSON, UNIT = "participant", "organization"
_KINDS = {
    "orgs.csv": UNIT,
    "users.csv": PERSON,
    "roles.csv": PERSON,
    "demographics.csv": PERSON,
}


class RejectedError(Exception):
    """The package cannot be applied; nothing was."""


class Aside(NamedTuple):
    """One fault of a record set aside; `outside` is None where it cannot be told whose."""

    kind: str
    outside: str | None
    finding: Finding


class Notes:
    """The first findings, the count of all, and what was set aside."""

    def __init__(self, report: Report | None = None, *, partial: bool = False) -> None:
        """`partial`: go on without the records that `report` has faults of."""
        self.findings: list[Finding] = []
        self.total = 0
        self.aside: list[Aside] = []
        self.left_out: dict[str, set[str]] = {PERSON: set(), UNIT: set()}
        self.nameless = False
        self._partial = partial
        self._refused = False
        self._bad: dict[str, dict[int, list[Finding]]] = defaultdict(lambda: defaultdict(list))
        for finding in report.findings if report and partial else ():
            self._bad[finding.file][finding.line or 0].append(finding)

    def add(
        self, code: str, file: str, line: int | None, column: str, message: str, owner: str = ""
    ) -> None:
        """`owner`: the outside id of the record it is a fault of."""
        self.total += 1
        finding = Finding(code, file, line, column, message)
        if len(self.findings) < _KEEP:
            self.findings.append(finding)
        else:
            self._refused = True
        self._set_aside(finding, owner)

    def bad(self, file: str) -> Mapping[int, Sequence[Finding]]:
        """The lines of a file that were found faulty before."""
        return self._bad[file]

    def skip(self, file: str, line: int, owner: str) -> bool:
        """Whether the row was found faulty before; its record is set aside then."""
        findings = self._bad[file].get(line)
        if not findings:
            return False
        for finding in findings:
            self._set_aside(finding, owner)
        return True

    def _set_aside(self, finding: Finding, owner: str) -> None:
        kind = _KINDS.get(finding.file)
        if not self._partial or kind is None:
            self._refused = True
        elif is_guid(owner):
            self.left_out[kind].add(owner)
            self.aside.append(Aside(kind, owner, finding))
        elif finding.file == "roles.csv":
            self._refused = True  # somebody would lose a role
        else:
            self.nameless = True
            self.aside.append(Aside(kind, None, finding))

    def text(
        self, row: dict[str, str], column: str, file: str, line: int, owner: str
    ) -> str | None:
        """The column's text, stripped; None when it is blank."""
        value = row.get(column, "").strip()
        if len(value) > LONGEST:
            message = f"more than {LONGEST} characters"
            self.add("import.text_too_long", file, line, column, message, owner)
        return value or None

    def required(self, row: dict[str, str], column: str, file: str, line: int, owner: str) -> str:
        value = self.text(row, column, file, line, owner)
        if value is None:
            message = "expected text, found only spaces"
            self.add("import.text_blank", file, line, column, message, owner)
        return value or ""

    def check(self) -> None:
        if self._refused:
            raise RejectedError

    def on(self, report: Report) -> Report:
        """The report with these findings after its own."""
        if not self.total:
            return report
        findings = (*report.findings, *self.findings)
        total = report.total + self.total
        return msgspec.structs.replace(report, valid=False, findings=findings, total=total)


def divisible(report: Report) -> bool:
    """Whether all faults are of single rows, and all of them known."""
    rows = all((f.line or 0) > 1 and not f.code.startswith("csv.") for f in report.findings)
    return rows and report.total == len(report.findings) and bool(report.files)
