"""The check of one data file: its header, the width of its rows, its columns, its row rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nastavnik_registry.imports import columns as by_column
from nastavnik_registry.imports.columns import Check, Emit, Ids, Lines
from nastavnik_registry.imports.findings import Bucket, Problem
from nastavnik_registry.imports.header import check_header
from nastavnik_registry.imports.schema import COMMON, Column, Table
from nastavnik_registry.imports.schema import columns as columns_of
from nastavnik_registry.imports.semantics import RowRule, row_rules
from nastavnik_registry.imports.values import is_guid, rule_of

FORBIDDEN = Problem(
    "row.field_forbidden_in_bulk",
    "expected a blank field in a bulk file, found a value",
    "Leave status and dateLastModified blank, or declare the file as delta.",
)
NEEDED = Problem(
    "row.field_required_in_delta", "expected a value in a delta file, found a blank field"
)


class World:
    """What the files of a package know of each other. `modes` has the files whose mode is known;
    `sound` those among them whose archive entry agrees with it; `own` words agreed with the
    sender."""

    def __init__(
        self,
        modes: Mapping[str, str],
        sound: set[str],
        own: Mapping[str, frozenset[str]] = {},
    ) -> None:
        self.modes, self.sound, self.own = modes, sound, own
        self.ids: dict[str, Ids] = {}
        self.not_schools: set[str] = set()

    def target(self, file: str) -> Ids | str:
        """The ids of a file referred to; "absent" if the package has none; else "open"."""
        if self.modes.get(file) == "absent" and file in self.sound:
            return "absent"
        checkable = self.modes.get(file) == "bulk" and file in self.ids
        return self.ids[file] if checkable else "open"


class TableCheck:
    """Feed it the rows of one file: `header` once, then `block`s, then `finish`."""

    def __init__(self, table: Table, mode: str, world: World, bucket: Bucket) -> None:
        self.table, self.mode, self.bucket, self.rows, self.variant = table, mode, bucket, 0, ""
        self._world = world
        self._ids = world.ids.setdefault(table.file, Ids())
        self._header: list[str] = []
        self._checks: list[tuple[int, Check]] = []
        self._rules: list[RowRule] = []
        self._finish: list[Callable[[], None]] = []

    def header(self, header: list[str]) -> None:
        self._header = header
        expected, self.variant = columns_of(self.table, header)
        names = [*COMMON, *(column.name for column in expected)]
        if not check_header(header, names, self.bucket):
            self.unreadable()
            return
        self._common()
        for at, column in enumerate(expected, len(COMMON)):
            self._checks += [(at, check) for check in self._of(column, self._emit(at))]
        self._rules = row_rules(self.table.name, self.mode, self._world.not_schools, self._say)

    def block(self, first: int, rows: Sequence[list[str]]) -> None:
        self.rows += len(rows)
        width = len(self._header)
        lines: Lines = range(first, first + len(rows))
        if set(map(len, rows)) != {width}:
            lines, rows = self._of_width(width, lines, rows)
        if not rows or not self._checks:
            return
        values = list(zip(*rows, strict=True))
        for at, check in self._checks:
            check(values[at], lines)
        if self._rules:
            named = dict(zip(self._header, values, strict=True))
            for rule in self._rules:
                rule(named, lines)

    def finish(self) -> None:
        if not self.rows:
            message = "expected data rows, found none"
            hint = "Leave the file out and say absent in the manifest."
            self.bucket.add(Problem("table.missing_data_rows", message, hint))
        for finish in self._finish:
            finish()

    def unreadable(self) -> None:
        """Not all ids of the file could be read."""
        self._ids.complete = False

    def _emit(self, at: int) -> Emit:
        add, column = self.bucket.add, self._header[at]
        return lambda line, problem: add(problem, line, column, at)

    def _say(self, line: int, column: str, problem: Problem) -> None:
        self.bucket.add(problem, line, column, self._header.index(column))

    def _of_width(
        self, width: int, lines: Lines, rows: Sequence[list[str]]
    ) -> tuple[Lines, list[list[str]]]:
        """The rows as wide as the header; of the others only the id is believed."""
        kept: list[int] = []
        fitting: list[list[str]] = []
        for line, row in zip(lines, rows, strict=True):
            if len(row) == width:
                kept.append(line)
                fitting.append(row)
                continue
            message = f"expected {width} fields as in the header, found {len(row)}"
            hint = "Put fields that contain a comma in quotes."
            self.bucket.add(Problem("table.row_width_mismatch", message, hint), line)
            if is_guid(row[0]):
                self._ids.values.add(row[0])
        return kept, fitting

    def _common(self) -> None:
        self._checks = [(0, by_column.identity(self._ids, self._emit(0)))]
        if self.table.name == "demographics":  # its sourcedId is the user's
            owner = Column("sourcedId", "ref", of="users")
            self._checks += [(0, check) for check in self._of(owner, self._emit(0))]
        for at, kind in ((1, Column("status", "enum", of="status")), (2, Column("", "moment"))):
            emit = self._emit(at)
            if self.mode == "bulk":
                self._checks.append((at, by_column.blank(emit, FORBIDDEN)))
                continue
            self._checks.append((at, by_column.required(emit, NEEDED)))
            self._checks += [(at, check) for check in self._of(kind, emit)]

    def _of(self, column: Column, emit: Emit) -> list[Check]:
        checks = [by_column.required(emit)] if column.required else []
        if column.kind in ("ref", "refs") and self.mode == "bulk":
            return [*checks, self._reference(column, emit)]
        rule = rule_of(column, self._world.own)
        return checks if rule is None else [*checks, by_column.each(rule, emit)]

    def _reference(self, column: Column, emit: Emit) -> Check:
        file = f"{column.of}.csv"
        if file == self.table.file:
            within = by_column.Within(file, self._ids, emit)
            self._finish.append(within.finish)
            return within.check
        target = self._world.target(file)
        if isinstance(target, Ids):
            known = by_column.reference if column.kind == "ref" else by_column.references
            return known(file, target, emit)
        if target == "absent":
            return by_column.absent_target(file, emit)
        rule = rule_of(column)
        assert rule is not None
        return by_column.each(rule, emit)
