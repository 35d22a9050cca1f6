"""OneRoster's vocabulary → ours. Pure."""

import hashlib
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from nastavnik_common.events.registry import Membership
from nastavnik_registry import domain

_ORG_TYPES: dict[str, tuple[str, str | None]] = {
    "national": ("federation", None),
    "state": ("region", None),
    "district": ("municipality", None),
    "local": ("municipality", None),
    "school": ("organization", "general"),
    "department": ("organization", "other"),
    "ext:vocational": ("organization", "vocational"),
    "ext:higher": ("organization", "higher"),
    "ext:additional": ("organization", "additional"),
    "ext:enterprise": ("organization", "enterprise"),
    "ext:ngo": ("organization", "ngo"),
}
UNITS = tuple(dict.fromkeys(_ORG_TYPES.values()))
"""Level and kind of every sort of unit there is."""
_STUDENTS = {"vocational": "vocational_student", "higher": "university_student"}
_ROLES = {
    "teacher": "teacher",
    "counselor": "teacher",
    "aide": "teacher",
    "proctor": "teacher",
    "ext:employer": "employer_representative",
    "ext:alumnus": "alumnus",
    "parent": "parent",
    "guardian": "parent",
    "relative": "parent",
    **{f"ext:{kind}": kind for kind in ("student", *_STUDENTS.values())},
}


def unit_of(org_type: str) -> tuple[str, str | None]:
    """orgs.type → level and kind; an extension we do not know is an organisation of kind other."""
    return _ORG_TYPES.get(org_type, ("organization", "other"))


def member_of(role: str, organization_kind: str | None) -> str:
    """roles.role, and the kind of organisation it is held at → kind of participant."""
    if role == "student":
        return _STUDENTS.get(organization_kind or "", "student")
    return _ROLES.get(role, "other")


def org_type(level: str, kind: str | None) -> str:
    """The first orgs.type that is read as this level and kind."""
    return next(word for word, unit in _ORG_TYPES.items() if unit == (level, kind))


def role_of(kind: str, organization_kind: str | None) -> str:
    """A roles.role that is read as this kind of participant at that kind of organisation."""
    if kind == member_of("student", organization_kind):
        return "student"
    return next((word for word, read in _ROLES.items() if read == kind), f"ext:{kind}")


def codes_of(level: str, identifier: str) -> tuple[str | None, str | None]:
    """orgs.identifier → (oktmo, internal code)."""
    if level != "organization" and domain.is_oktmo(identifier):
        return identifier, None
    return None, identifier or None


class Roles(NamedTuple):
    """A person's roles as parallel lists, in the order of the file."""

    organizations: list[UUID]
    kinds: list[str]
    firsts: list[bool]
    sinces: list[date | None]
    untils: list[date | None]


def memberships(roles: Roles, home: UUID | None) -> tuple[Membership, ...]:
    """Equal ones once. Home is the role at `home`, else the first of type primary."""
    at = _home(roles, home)
    found: dict[tuple[Any, ...], bool] = {}
    keys = zip(roles.organizations, roles.kinds, roles.sinces, roles.untils, strict=True)
    for index, key in enumerate(keys):
        found[key] = found.get(key, False) or index == at
    made = [
        Membership(
            organization_id=organization,
            kind=kind,
            primary=primary,
            since=since,
            until=until,
        )
        for (organization, kind, since, until), primary in found.items()
    ]
    return domain.ordered_memberships(made) if len(made) > 1 else tuple(made)


def _home(roles: Roles, home: UUID | None) -> int | None:
    there = [i for i, organization in enumerate(roles.organizations) if organization == home]
    candidates = there or range(len(roles.organizations))
    first = next((i for i in candidates if roles.firsts[i]), None)
    return there[0] if first is None and there else first


_encoder = msgspec.json.Encoder()


def content_hash(*content: Any) -> bytes:
    """The same for the same content, in any run and on any machine."""
    return hashlib.blake2b(_encoder.encode(content), digest_size=16).digest()
