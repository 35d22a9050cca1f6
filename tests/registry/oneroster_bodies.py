"""What OneRoster 1.2 asks of the bodies of its rostering endpoints, written from its public
documentation, independently of what serves them: names, required fields, vocabularies, formats."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

_GUID = {"type": "string", "pattern": "^[0-9a-zA-Z.\\-_/@]{1,255}$"}
_DAY = {"type": "string", "format": "date"}
_FLAG = {"enum": ["true", "false"]}
_TEXT = {"type": "string"}
_MOMENT = {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$"}


def _words(words: str) -> dict[str, Any]:
    extension = {"type": "string", "pattern": "^ext:[a-zA-Z0-9.\\-_]+$"}
    return {"anyOf": [{"enum": words.split()}, extension]}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def _ref(kind: str) -> dict[str, Any]:
    href = {"type": "string", "pattern": "^https?://.+/ims/oneroster/rostering/v1p2/.+$"}
    return _object("href sourcedId type", href=href, sourcedId=_GUID, type={"const": kind})


def _record(required: str, **properties: Any) -> dict[str, Any]:
    return _object(
        f"sourcedId status dateLastModified {required}",
        sourcedId=_GUID,
        status={"enum": ["active", "tobedeleted"]},
        dateLastModified=_MOMENT,
        metadata={"type": "object"},
        **properties,
    )


_ROLE = _object(
    "roleType role org",
    roleType={"enum": ["primary", "secondary"]},
    role=_words(
        "aide counselor districtAdministrator guardian parent principal proctor relative"
        " siteAdministrator student systemAdministrator teacher"
    ),
    org=_ref("org"),
    userProfile=_TEXT,
    beginDate=_DAY,
    endDate=_DAY,
)
_TYPED = _object("type identifier", type=_TEXT, identifier=_TEXT)
_RACES = (
    "americanIndianOrAlaskaNative asian blackOrAfricanAmerican white"
    " nativeHawaiianOrOtherPacificIslander demographicRaceTwoOrMoreRaces hispanicOrLatinoEthnicity"
)
_USER_TEXTS = (
    "userMasterIdentifier username middleName preferredFirstName preferredMiddleName"
    " preferredLastName pronouns identifier email sms phone password"
)
RECORDS = {
    "org": _record(
        "name type identifier",
        name={"type": "string", "minLength": 1},
        type=_words("department school district local state national"),
        identifier=_TEXT,
        parent=_ref("org"),
        children={"type": "array", "items": _ref("org")},
    ),
    "user": _record(
        "enabledUser givenName familyName roles",
        enabledUser=_FLAG,
        givenName=_TEXT,
        familyName=_TEXT,
        roles={"type": "array", "items": _ROLE},
        userIds={"type": "array", "items": _TYPED},
        primaryOrg=_ref("org"),
        agents={"type": "array", "items": _ref("user")},
        grades={"type": "array", "items": _TEXT},
        **dict.fromkeys(_USER_TEXTS.split(), _TEXT),
    ),
    "demographics": _record(
        "",
        birthDate=_DAY,
        sex=_words("male female unspecified other"),
        **dict.fromkeys(_RACES.split(), _FLAG),
    ),
}
PLURALS = {"orgs": "org", "users": "user", "demographics": "demographics"}
_MINORS = (
    "fullsuccess invalid_filter_field invalid_selection_field invaliddata unauthorisedrequest"
    " forbidden server_busy unknownobject internal_server_error"
)
STATUS_INFO = _object(
    "imsx_codeMajor imsx_severity imsx_description imsx_CodeMinor",
    imsx_codeMajor={"const": "failure"},
    imsx_severity={"const": "error"},
    imsx_description={"type": "string", "minLength": 1},
    imsx_CodeMinor=_object(
        "imsx_codeMinorField",
        imsx_codeMinorField={
            "type": "array",
            "minItems": 1,
            "items": _object(
                "imsx_codeMinorFieldName imsx_codeMinorFieldValue",
                imsx_codeMinorFieldName={"const": "TargetEndSystem"},
                imsx_codeMinorFieldValue={"enum": _MINORS.split()},
            ),
        },
    ),
)


def check(schema: dict[str, Any], body: Any) -> None:
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(body)


def check_many(plural: str, body: Any) -> list[dict[str, Any]]:
    """The records of a collection's envelope, every one of them sound."""
    assert list(body) == [plural]
    records: list[dict[str, Any]] = body[plural]
    for record in records:
        check(RECORDS[PLURALS[plural]], record)
    return records


def check_error(status: int, minor: str, answer: Any) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    check(STATUS_INFO, answer.json())
    (field,) = answer.json()["imsx_CodeMinor"]["imsx_codeMinorField"]
    assert field["imsx_codeMinorFieldValue"] == minor
