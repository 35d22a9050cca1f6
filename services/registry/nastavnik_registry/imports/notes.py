"""Faults that show only when a valid package meets the registry."""

from nastavnik_registry.imports.findings import Finding

_KEEP = 1000
_LONGEST = 255


class RejectedError(Exception):
    """The package cannot be applied; nothing was."""


class Notes:
    """The first findings, and the count of all."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.total = 0

    def add(self, code: str, file: str, line: int | None, column: str, message: str) -> None:
        self.total += 1
        if len(self.findings) < _KEEP:
            self.findings.append(Finding(code, file, line, column, message))

    def text(self, row: dict[str, str], column: str, file: str, line: int) -> str | None:
        """The column's text, stripped; None when it is blank."""
        value = row.get(column, "").strip()
        if len(value) > _LONGEST:
            self.add("import.text_too_long", file, line, column, f"more than {_LONGEST} characters")
        return value or None

    def required(self, row: dict[str, str], column: str, file: str, line: int) -> str:
        value = self.text(row, column, file, line)
        if value is None:
            self.add("import.text_blank", file, line, column, "expected text, found only spaces")
        return value or ""

    def check(self) -> None:
        if self.total:
            raise RejectedError
