"""The bodies as they are described in /openapi.json. With `fields`, only what was asked for."""
# ruff: noqa: N815 - the standard's names

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, create_model

Status = Literal["active", "tobedeleted"]
Flag = Literal["true", "false"]


class CodeMinorField(BaseModel):
    imsx_codeMinorFieldName: str
    imsx_codeMinorFieldValue: str


class CodeMinor(BaseModel):
    imsx_codeMinorField: list[CodeMinorField]


class StatusInfo(BaseModel):
    """imsx_StatusInfo of the standard."""

    imsx_codeMajor: str
    imsx_severity: str
    imsx_description: str
    imsx_CodeMinor: CodeMinor


class Ref(BaseModel):
    """A reference: the object's URL, id and kind."""

    href: str
    sourcedId: str
    type: str


class Base(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sourcedId: str = ""
    status: Status = "active"
    dateLastModified: str = ""
    metadata: dict[str, str] = {}


class OneRosterOrg(Base):
    name: str = ""
    type: str = ""
    identifier: str = ""
    parent: Ref = None  # type: ignore[assignment]
    children: list[Ref] = []


class UserId(BaseModel):
    type: str
    identifier: str


class Role(BaseModel):
    roleType: Literal["primary", "secondary"]
    role: str
    org: Ref
    beginDate: str = ""
    endDate: str = ""


class OneRosterUser(Base):
    username: str = ""
    enabledUser: Flag = "true"
    givenName: str = ""
    familyName: str = ""
    middleName: str = ""
    primaryOrg: Ref = None  # type: ignore[assignment]
    email: str = ""
    phone: str = ""
    userIds: list[UserId] = []
    roles: list[Role] = []


class OneRosterDemographics(Base):
    birthDate: str = ""


class OneRosterObject(Base):
    """Of a kind the registry has none of."""


_MODELS: dict[str, tuple[str, type[Base]]] = {
    "orgs": ("org", OneRosterOrg),
    "users": ("user", OneRosterUser),
    "demographics": ("demographics", OneRosterDemographics),
    "academicSessions": ("academicSession", OneRosterObject),
    "classes": ("class", OneRosterObject),
    "courses": ("course", OneRosterObject),
    "enrollments": ("enrollment", OneRosterObject),
}
_HEADERS = {
    "X-Total-Count": {"description": "Of the whole collection", "schema": {"type": "string"}},
    "Link": {"description": "first, last, next, prev", "schema": {"type": "string"}},
}


def _envelope(name: str, field: str, kind: Any) -> type[BaseModel]:
    fields: dict[str, Any] = {field: (kind, ...)}
    made: type[BaseModel] = create_model(name, **fields)
    return made


_PAGES = {
    plural: _envelope(f"OneRoster_{plural}", plural, list[model])  # type: ignore[valid-type]
    for plural, (_, model) in _MODELS.items()
}
_SINGLES = {
    single: _envelope(f"OneRoster_single_{single}", single, model)
    for single, model in _MODELS.values()
}

ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": StatusInfo, "description": "imsx_StatusInfo with a minor code"}
}


def collection(plural: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"model": _PAGES[plural], "headers": _HEADERS}}


def single(name: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"model": _SINGLES[name]}}
