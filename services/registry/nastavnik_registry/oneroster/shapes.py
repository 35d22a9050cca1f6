"""Rows → JSON bodies of the standard. Pure.

What a body lacks is left out, not null. Booleans of the standard are strings. A person whose name
is gone (deleted, or erased) is `tobedeleted`, with empty names and without roles.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from nastavnik_common.events.registry import Membership
from nastavnik_registry.aggregates.refs import Refs
from nastavnik_registry.imports import mapping
from nastavnik_registry.tables import OrgUnit, Person

Body = dict[str, Any]


class Kin(NamedTuple):
    """Where an org unit stands today, and what stands below it."""

    parent: UUID | None
    children: tuple[UUID, ...]


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _base(ident: UUID, gone: bool, changed_at: datetime) -> Body:
    status = "tobedeleted" if gone else "active"
    return {
        "sourcedId": str(ident),
        "status": status,
        "dateLastModified": moment(changed_at),
    }


def _ref(base: str, collection: str, kind: str, ident: UUID) -> Body:
    return {"href": f"{base}/{collection}/{ident}", "sourcedId": str(ident), "type": kind}


def _given(body: Body) -> Body:
    return {name: value for name, value in body.items() if value is not None and value != []}


def org(row: OrgUnit, kin: Kin, base: str) -> Body:
    codes = {"inn": row.inn, "ogrn": row.ogrn, "oktmo": row.oktmo, "shortName": row.short_name}
    more = {
        "metadata": _given(codes) or None,
        "parent": _ref(base, "orgs", "org", kin.parent) if kin.parent else None,
        "children": [_ref(base, "orgs", "org", child) for child in kin.children],
    }
    return {
        **_base(row.id, row.deleted, row.changed_at),
        "name": row.name,
        "type": mapping.org_type(row.level, row.kind),
        "identifier": row.code or row.inn or row.oktmo or "",
        **_given(more),
    }


def user(
    row: Person,
    memberships: Sequence[Membership],
    refs: Refs,
    kinds: dict[UUID, str | None],
    base: str,
) -> Body:
    """`kinds`: of the organisations of the memberships."""
    gone = row.family_name is None
    home = next((m.organization_id for m in reversed(memberships) if m.primary), None)
    more = {
        "middleName": row.middle_name,
        "primaryOrg": _ref(base, "orgs", "org", home) if home else None,
        "email": row.email,
        "phone": row.phone,
        "userIds": [{"type": source, "identifier": ident} for source, ident in refs],
        "metadata": _day("teachingSince", row.teaching_since),
    }
    return {
        **_base(row.id, gone, row.changed_at),
        "username": str(row.id),
        "enabledUser": "false" if gone else "true",
        "givenName": row.given_name or "",
        "familyName": row.family_name or "",
        "roles": [] if gone else _roles(memberships, kinds, base),
        **({} if gone else _given(more)),
    }


def _roles(
    memberships: Sequence[Membership], kinds: dict[UUID, str | None], base: str
) -> list[Body]:
    """At most one primary role an organisation: the latest."""
    latest = {m.organization_id: at for at, m in enumerate(memberships) if m.primary}
    return [
        {
            "roleType": "primary" if latest.get(m.organization_id) == at else "secondary",
            "role": mapping.role_of(m.kind, kinds.get(m.organization_id)),
            "org": _ref(base, "orgs", "org", m.organization_id),
            **(_day("beginDate", m.since) or {}),
            **(_day("endDate", m.until) or {}),
        }
        for at, m in enumerate(memberships)
    ]


def _day(name: str, day: date | None) -> Body | None:
    return {name: day.isoformat()} if day else None


def demographics(row: Person) -> Body:
    gone = row.family_name is None
    return {
        **_base(row.id, gone, row.changed_at),
        **(_day("birthDate", None if gone else row.birth_date) or {}),
    }


def selected(bodies: Iterable[Body], fields: Sequence[str] | None) -> list[Body]:
    if fields is None:
        return list(bodies)
    return [{name: body[name] for name in fields if name in body} for body in bodies]
