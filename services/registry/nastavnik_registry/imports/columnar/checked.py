"""The check of one bulk file of people by columns; it says that the file is clean, or nothing."""

import sys
from collections.abc import Callable

import polars as pl

from nastavnik_registry.imports import columns as by_column
from nastavnik_registry.imports.columnar.reading import UnsureError, blocks
from nastavnik_registry.imports.columns import Check, Ids
from nastavnik_registry.imports.findings import Bucket, Problem
from nastavnik_registry.imports.header import check_header
from nastavnik_registry.imports.package import Package
from nastavnik_registry.imports.schema import COMMON, TABLES, Column, columns
from nastavnik_registry.imports.tablecheck import World
from nastavnik_registry.imports.values import rule_of

Tick = Callable[[str, int], None]
USERS, ROLES, DEMOGRAPHICS = "users.csv", "roles.csv", "demographics.csv"
LINE = "line"
TEACHING = "metadata.teachingSince"
KEPT = {
    USERS: (
        *("sourcedId", "familyName", "givenName", "middleName", "email", "phone", "sms"),
        *("primaryOrgSourcedId", TEACHING),
    ),
    ROLES: (
        *("sourcedId", "userSourcedId", "roleType", "role", "beginDate", "endDate"),
        "orgSourcedId",
    ),
    DEMOGRAPHICS: ("sourcedId", "birthDate"),
}
_GUID = r"^[0-9a-zA-Z.\-_/@]{1,255}$"


class Frames:
    """The files found clean: the columns of `KEPT` that there are, as text, and `LINE`."""

    def __init__(self, max_bytes: int = sys.maxsize) -> None:
        """Together larger than `max_bytes`, unpacked, all are left to the other way."""
        self._max_bytes = max_bytes
        self.found: dict[str, pl.DataFrame] = {}

    def check(self, package: Package, file: str, world: World, tick: Tick | None) -> int:
        """How many rows the file has, if it is surely clean; else 0. One that is clean is kept, and
        its ids can be referred to."""
        if file not in KEPT or package.older:
            return 0
        if sum(package.size(name) for name in KEPT if name in package.names) > self._max_bytes:
            return 0
        try:
            frame = _Check(file, world, self.found.get(USERS)).run(package, tick)
        except UnsureError:
            return 0
        self.found[file] = frame
        if file == USERS:
            world.ids[file] = Ids(frame["sourcedId"])
        return frame.height


class _Check:
    def __init__(self, file: str, world: World, users: pl.DataFrame | None) -> None:
        self._file, self._world, self._users = file, world, users
        self._checks: list[tuple[str, Check]] = []  # column by its place
        self._filled = ["0"]
        self._within: list[str] = []  # columns of lists of ids of this very file
        self._named: list[pl.Series] = []  # what stands in them

    def run(self, package: Package, tick: Tick | None) -> pl.DataFrame:
        parts: list[pl.DataFrame] = []
        names: dict[str, str] = {}
        rows = 0
        for line, block in blocks(package, self._file):
            frame = block
            if not parts:
                names = self._header(list(block.row(0)))
                frame = block[1:]
            self._block(frame)
            kept = frame.select(pl.col(at).alias(name) for at, name in names.items())
            parts.append(kept.with_row_index(LINE, line + (not parts)))
            rows += frame.height
            if tick is not None:
                tick(self._file, rows)
        if not rows:
            raise UnsureError
        frame = pl.concat(parts, rechunk=True)
        self._whole(frame)
        return frame

    def _header(self, header: list[str]) -> dict[str, str]:
        """Set the checks up. Returns the columns to keep: place → name."""
        table = TABLES[self._file.removesuffix(".csv")]
        expected, variant = columns(table, header)
        names = [*COMMON, *(column.name for column in expected)]
        if variant or not check_header(header, names, Bucket(self._file, 1)):
            raise UnsureError
        self._checks += [(str(at), by_column.blank(_unsure, _FAULT)) for at in (1, 2)]
        for at, column in enumerate(expected, len(COMMON)):
            self._column(str(at), column)
        kept = KEPT[self._file]
        return {str(at): name for at, name in enumerate(header) if name in kept}

    def _column(self, at: str, column: Column) -> None:
        if column.required:
            self._filled.append(at)
        if column.kind not in ("ref", "refs"):
            rule = rule_of(column, self._world.own)
            if rule is not None:
                self._checks.append((at, by_column.each(rule, _unsure)))
            return
        if f"{column.of}.csv" == self._file:
            self._within.append(at)
            return
        target = self._world.target(f"{column.of}.csv")
        if isinstance(target, str):
            self._checks.append((at, by_column.blank(_unsure, _FAULT)))
        elif column.of != "users":  # those are looked at when all are read
            known = by_column.reference if column.kind == "ref" else by_column.references
            self._checks.append((at, known(f"{column.of}.csv", target, _unsure)))

    def _block(self, frame: pl.DataFrame) -> None:
        """Each check sees every value of its column once."""
        if frame.select(pl.any_horizontal((pl.col(at) == "").any() for at in self._filled)).item():
            raise UnsureError
        if not frame["0"].str.contains(_GUID).all():
            raise UnsureError
        for at in self._within:
            self._named.append(frame[at].unique().rename("named"))
        for at, check in self._checks:
            values = frame[at].unique().to_list()
            check(values, range(len(values)))

    def _whole(self, frame: pl.DataFrame) -> None:
        """What concerns all rows: no id twice, no owner unknown, one primary role at a place."""
        if frame["sourcedId"].n_unique() != frame.height:
            raise UnsureError
        if self._file == USERS:
            lists = pl.concat(self._named).unique()
            self._known(lists.filter(lists != "").str.split(",").explode(), frame)
            return
        owner = "userSourcedId" if self._file == ROLES else "sourcedId"
        self._known(frame[owner], self._users)
        if self._file == ROLES:
            _roles(frame)

    @staticmethod
    def _known(ids: pl.Series, users: pl.DataFrame | None) -> None:
        if users is None or not ids.is_in(users["sourcedId"].implode()).all():
            raise UnsureError


def _roles(frame: pl.DataFrame) -> None:
    begin, end = pl.col("beginDate"), pl.col("endDate")
    reversed_ = frame.filter((end != "") & (begin != "") & (end < begin))
    primary = frame.filter(pl.col("roleType") == "primary").select("userSourcedId", "orgSourcedId")
    if reversed_.height or primary.is_duplicated().any():
        raise UnsureError


def _unsure(line: int, problem: Problem) -> None:
    raise UnsureError


_FAULT = Problem("", "")
