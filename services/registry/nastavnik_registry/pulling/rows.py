"""A provider's JSON → rows of the CSV tables. Pure.

Rows of a bulk table leave status and dateLastModified blank; those of a table of changes have both.
A record that is to be deleted may have lost the values its table requires: they are filled, for
nothing is read of it but its id.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from nastavnik_registry.imports.schema import COMMON, TABLES
from nastavnik_registry.pulling.spool import Row, modified

GONE = "tobedeleted"
Cells = dict[str, str]
_TEACHING = "metadata.teachingSince"
HEADERS = {
    name: (*COMMON, *(column.name for column in table.columns)) for name, table in TABLES.items()
}
HEADERS["users"] = (*HEADERS["users"], _TEACHING)
_USER = "username givenName familyName middleName identifier email sms phone pronouns"
_NEEDED = {"givenName": "-", "familyName": "-", "name": "-", "type": "department"}


def is_gone(row: Row) -> bool:
    return row.get("status") == GONE


def _text(value: Any) -> str:
    """On one line; what is no text or number is nothing."""
    if not isinstance(value, str | int | float):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(str(value).split())


def _id_of(value: Any) -> str:
    return _text(value.get("sourcedId")) if isinstance(value, dict) else ""


def _marks(row: Row, at: datetime | None) -> Cells:
    """`at`: when the changes were pulled, for a record without a time; None: a bulk table."""
    marks = {"sourcedId": _text(row["sourcedId"])}
    if at is not None:
        changed = (modified(row) or at).astimezone(UTC)
        stamp = changed.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        marks |= {"status": GONE if is_gone(row) else "active", "dateLastModified": stamp}
    return marks


def _filled(cells: Cells, gone: bool) -> Cells:
    if gone:
        cells |= {name: word for name, word in _NEEDED.items() if name in cells and not cells[name]}
    return cells


def org(row: Row, at: datetime | None) -> Cells:
    names = ("name", "type", "identifier")
    cells = {name: _text(row.get(name)) for name in names}
    cells["parentSourcedId"] = _id_of(row.get("parent"))
    return _marks(row, at) | _filled(cells, is_gone(row))


def user(row: Row, at: datetime | None) -> Cells:
    cells = {name: _text(row.get(name)) for name in _USER.split()}
    cells["username"] = cells["username"] or _text(row["sourcedId"])
    cells["enabledUser"] = _text(row.get("enabledUser")) or "true"
    cells["primaryOrgSourcedId"] = "" if is_gone(row) else _id_of(row.get("primaryOrg"))
    metadata = row.get("metadata")
    cells[_TEACHING] = _text(metadata.get("teachingSince")) if isinstance(metadata, dict) else ""
    return _marks(row, at) | _filled(cells, is_gone(row))


def demographics(row: Row, at: datetime | None) -> Cells:
    return _marks(row, at) | {name: _text(row.get(name)) for name in ("birthDate", "sex")}


def roles(row: Row, at: datetime | None) -> Iterator[Cells]:
    """Roles have no id of their own in JSON: one is made of what they say."""
    given = row.get("roles")
    if is_gone(row) or not isinstance(given, list):
        return
    found = {}
    for role in given:
        if isinstance(role, dict):
            cells = {name: _text(role.get(name)) for name in ("roleType", "role")}
            cells |= {name: _text(role.get(name))[:10] for name in ("beginDate", "endDate")}
            cells["orgSourcedId"] = _id_of(role.get("org"))
            cells["userSourcedId"] = _text(row["sourcedId"])
            found[_made_id(cells)] = cells
    for ident, cells in found.items():
        yield _marks({**row, "sourcedId": ident}, at) | cells


def ended_role(user_id: str, org_id: str, role: str, at: datetime) -> Cells:
    cells = {"userSourcedId": user_id, "orgSourcedId": org_id, "role": role}
    cells["roleType"] = "secondary"
    return _marks({"sourcedId": _made_id(cells), "status": GONE}, at) | cells


def _made_id(cells: Cells) -> str:
    content = "\n".join(f"{name}={value}" for name, value in sorted(cells.items()))
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
