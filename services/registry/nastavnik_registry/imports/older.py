"""OneRoster 1.1 read as 1.2: its rostering files, with the roles that users.csv still held.

What differs is shown to the reader as 1.2 has it: the manifest, users.csv line by line, and a
roles.csv made of `orgSourcedIds` and `role`. Gradebook and resources, which are not imported, are
left out. A package that says 1.1 but has other columns is not taken for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from nastavnik_registry.imports.csvfile import Block, CsvError
from nastavnik_registry.imports.schema import COMMON, FILES, TABLES

Scan = Callable[[str], Iterator[Block]]
MANIFEST, USERS, ROLES = "manifest.csv", "users.csv", "roles.csv"
_SAME = ("academicSessions", "classes", "courses", "demographics", "enrollments", "orgs", "users")
KEPT = frozenset(f"{name}.csv" for name in _SAME)
_VERSION = "oneroster.version"
_USERS = (
    *(*COMMON, "enabledUser", "orgSourcedIds", "role", "username", "userIds", "givenName"),
    *("familyName", "middleName", "identifier", "email", "sms", "phone", "agentSourcedIds"),
    *("grades", "password"),
)
_NEW_USERS = [*COMMON, *(column.name for column in TABLES["users"].columns)]
_NEW_ROLES = [*COMMON, *(column.name for column in TABLES["roles"].columns)]
_WORDS = {"administrator": "siteAdministrator"}


def recognised(names: Sequence[str], scan: Scan) -> bool:
    """Whether the package says 1.1 and its users.csv has the columns of 1.1."""
    if MANIFEST not in names or USERS not in names:
        return False
    try:
        said = any(row[:2] == [_VERSION, "1.1"] for block in scan(MANIFEST) for row in block.rows)
        header = next(scan(USERS)).rows[0] if said else []
    except (CsvError, StopIteration):
        return False
    return tuple(header[: len(_USERS)]) == _USERS


def names(entries: Sequence[str]) -> tuple[str, ...]:
    return (*(name for name in entries if name == MANIFEST or name in KEPT), ROLES)


def blocks(name: str, scan: Scan) -> Iterator[Block]:
    """The lines of a file as 1.2 would have them. Raises CsvError."""
    if name == MANIFEST:
        yield _manifest(scan)
    elif name == USERS:
        for first, rows in scan(USERS):
            yield Block(first, [_user(row) for row in rows])
    elif name == ROLES:
        yield from _roles(scan)
    else:
        yield from scan(name)


def _manifest(scan: Scan) -> Block:
    rows = [row for block in scan(MANIFEST) for row in block.rows]
    modes = {row[0]: row[1] for row in rows if row[0].startswith("file.") and len(row) == 2}
    modes = {f"file.{name}": modes.get(f"file.{name}", "absent") for name in _SAME}
    modes["file.roles"] = modes["file.users"]
    others = [row for row in rows if not row[0].startswith("file.") and row[0] != _VERSION]
    files = (f"file.{file.removesuffix('.csv')}" for file in FILES)
    made = [[name, modes.get(name, "absent")] for name in files]
    return Block(1, [*others, [_VERSION, "1.2"], *made])


def _user(row: list[str]) -> list[str]:
    """A row, or the header, in the order of 1.2; one of another width stays as it is."""
    if len(row) < len(_USERS):
        return row
    if row[0] == "sourcedId":
        return [*_NEW_USERS, *row[len(_USERS) :]]
    values = dict(zip(_USERS, row, strict=False))
    values["primaryOrgSourcedId"] = values["orgSourcedIds"].partition(",")[0]
    return [values.get(name, "") for name in _NEW_USERS] + row[len(_USERS) :]


def _roles(scan: Scan) -> Iterator[Block]:
    line = 1
    for first, rows in scan(USERS):
        made = [_NEW_ROLES] if first == 1 else []
        for row in rows[1:] if first == 1 else rows:
            if len(row) >= len(_USERS):
                made += _roles_of(dict(zip(_USERS, row, strict=False)))
        yield Block(line, made)
        line += len(made)


def _roles_of(user: dict[str, str]) -> list[list[str]]:
    common = {name: user[name] for name in COMMON}
    role = {"userSourcedId": user["sourcedId"], "role": _WORDS.get(user["role"], user["role"])}
    return [
        [
            {**common, **role, "sourcedId": f"{user['sourcedId']}.{n}", "orgSourcedId": org}.get(
                name, "primary" if name == "roleType" else ""
            )
            for name in _NEW_ROLES
        ]
        for n, org in enumerate(dict.fromkeys(user["orgSourcedIds"].split(",")), 1)
    ]
