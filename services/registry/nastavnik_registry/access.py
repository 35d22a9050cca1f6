"""Who may use which route of the registry. A new route needs a line here."""

from nastavnik_common.auth import Role
from nastavnik_common.auth_rules import (
    About,
    Access,
    Anywhere,
    Everywhere,
    Lines,
    Listed,
    Named,
    Record,
    allow,
)
from nastavnik_common.auth_tables import CHANGES, MANAGERS, OPERATORS, READERS, WRITERS

_UNITS = frozenset({Role.REGION, Role.MUNICIPALITY, Role.INTEGRATOR})
_TARGETS = frozenset({Role.REGION, Role.MUNICIPALITY})
_ROSTERS = frozenset({Role.REGION, Role.INTEGRATOR})
_EVERYBODY = READERS | OPERATORS


def _by_id(kind: str) -> Record:
    return Record(kind, "ident")


_ORGANIZATIONS: Access = {
    ("GET", "/organizations"): allow(_EVERYBODY, Listed()),
    ("POST", "/organizations"): allow(_UNITS, Named(("parent_id", "placements.parent_id"))),
    ("GET", "/organizations/{ident}"): allow(_EVERYBODY, _by_id("organization")),
    ("PATCH", "/organizations/{ident}"): allow(
        _UNITS,
        _by_id("organization"),
        Named(("parent_id", "placements.parent_id"), needed=False),
    ),
    ("DELETE", "/organizations/{ident}"): allow(_UNITS, _by_id("organization")),
    ("GET", "/organizations/{ident}/changes"): allow(_EVERYBODY, _by_id("organization")),
}
_MEMBER = ("memberships.organization_id",)
_PEOPLE: Access = {
    ("GET", "/participants"): allow(WRITERS, Listed()),
    ("POST", "/participants"): allow(WRITERS, Named(_MEMBER)),
    ("GET", "/participants/{ident}"): allow(WRITERS, _by_id("participant")),
    ("PATCH", "/participants/{ident}"): allow(
        WRITERS,
        Record("participant", "ident", field="memberships"),
        Named(_MEMBER, needed=False),
    ),
    ("DELETE", "/participants/{ident}"): allow(WRITERS, Record("participant", "ident", all=True)),
    ("GET", "/participants/{ident}/changes"): allow(WRITERS, _by_id("participant")),
    ("GET", "/consents"): allow(WRITERS, Listed()),
    ("POST", "/consents"): allow(WRITERS, About("participant_id", "participant")),
    ("POST", "/consents:batch"): allow(WRITERS, Lines()),
    ("GET", "/consents/{ident}"): allow(WRITERS, _by_id("consent")),
    ("POST", "/consents/{ident}:withdraw"): allow(WRITERS, _by_id("consent")),
    ("GET", "/purposes"): allow(READERS, Anywhere()),
    ("GET", "/participants/{ident}/personal-data"): allow(MANAGERS, _by_id("participant")),
    ("POST", "/participants/{ident}:erase"): allow(
        MANAGERS, Record("participant", "ident", all=True)
    ),
}
# about people of all units, by ids alone
_SUPERVISION = allow({Role.REGION, Role.AUDITOR}, Everywhere())
_PERSONAL: Access = {
    ("GET", "/destruction-acts"): _SUPERVISION,
    ("GET", "/destruction-acts/{ident}"): _SUPERVISION,
    ("GET", "/destruction-acts/{ident}/page"): _SUPERVISION,
    ("GET", "/personal-trace"): _SUPERVISION,
    ("POST", "/personal-trace:verify"): allow(
        {Role.REGION, Role.AUDITOR, Role.OPERATIONS}, Everywhere()
    ),
}
_OF_UNITS: Access = {
    key: rule
    for noun, kind, writers in (
        ("programmes", "programme", WRITERS),
        ("targets", "target", _TARGETS),
        ("reference-counts", "reference_count", _UNITS),
    )
    for key, rule in {
        ("GET", f"/{noun}"): allow(READERS, Listed()),
        ("POST", f"/{noun}"): allow(writers, Named(("organization_id",))),
        ("GET", f"/{noun}/{{ident}}"): allow(READERS, _by_id(kind)),
        ("PATCH", f"/{noun}/{{ident}}"): allow(
            writers, _by_id(kind), Named(("organization_id",), needed=False)
        ),
        ("DELETE", f"/{noun}/{{ident}}"): allow(writers, _by_id(kind)),
    }.items()
}

# A roster may hold any unit and any person: it needs a grant for everything.
_READ_IMPORTS = allow(_ROSTERS | OPERATORS, Everywhere())
_DO_IMPORTS = allow(_ROSTERS, Everywhere())
_IMPORTS: Access = {
    ("POST", "/imports"): _DO_IMPORTS,
    ("GET", "/imports"): _READ_IMPORTS,
    ("GET", "/imports/{ident}"): _READ_IMPORTS,
    **{
        ("POST", f"/imports/{{ident}}:{action}"): _DO_IMPORTS
        for action in ("apply", "confirm", "discard", "undo")
    },
    ("GET", "/imports/{ident}/report"): _READ_IMPORTS,
    # these two name people
    ("GET", "/imports/{ident}/changes"): _DO_IMPORTS,
    ("GET", "/import-quarantine"): _DO_IMPORTS,
    ("GET", "/import-sources"): _READ_IMPORTS,
    ("GET", "/import-sources/{code}"): _READ_IMPORTS,
    ("PUT", "/import-sources/{code}"): _DO_IMPORTS,
    ("GET", "/pulls"): _READ_IMPORTS,
    ("GET", "/pulls/{source}"): _READ_IMPORTS,
    ("POST", "/pulls/{source}:run"): _DO_IMPORTS,
    ("POST", "/external-ids:resolve"): _DO_IMPORTS,
}

_ONEROSTER: Access = {
    ("GET", f"/ims/oneroster/rostering/v1p2/{path}"): allow({Role.INTEGRATOR}, Everywhere())
    for path in (
        "academicSessions",
        "academicSessions/{sourced_id}",
        "classes",
        "classes/{sourced_id}",
        "classes/{sourced_id}/students",
        "classes/{sourced_id}/teachers",
        "courses",
        "courses/{sourced_id}",
        "courses/{sourced_id}/classes",
        "demographics",
        "demographics/{sourced_id}",
        "enrollments",
        "enrollments/{sourced_id}",
        "gradingPeriods",
        "gradingPeriods/{sourced_id}",
        "orgs",
        "orgs/{sourced_id}",
        "schools",
        "schools/{sourced_id}",
        "schools/{sourced_id}/classes",
        "schools/{sourced_id}/classes/{class_id}/enrollments",
        "schools/{sourced_id}/classes/{class_id}/students",
        "schools/{sourced_id}/classes/{class_id}/teachers",
        "schools/{sourced_id}/courses",
        "schools/{sourced_id}/enrollments",
        "schools/{sourced_id}/students",
        "schools/{sourced_id}/teachers",
        "schools/{sourced_id}/terms",
        "students",
        "students/{sourced_id}",
        "students/{sourced_id}/classes",
        "teachers",
        "teachers/{sourced_id}",
        "teachers/{sourced_id}/classes",
        "terms",
        "terms/{sourced_id}",
        "terms/{sourced_id}/classes",
        "terms/{sourced_id}/gradingPeriods",
        "users",
        "users/{sourced_id}",
        "users/{sourced_id}/classes",
    )
}

# Every row is looked at by itself; templates hold nothing of anybody.
_SHEETS: Access = {
    ("POST", "/sheets/participants"): allow(WRITERS, Lines()),
    ("POST", "/sheets/headcounts"): allow(_UNITS, Lines()),
    ("POST", "/sheets/{journal}:people"): allow(WRITERS, Listed()),
    ("POST", "/sheets/{journal}:resolve"): allow(WRITERS, Listed()),
    **{
        ("GET", f"/templates/{name}.{kind}"): allow(READERS, Anywhere())
        for name in ("participants", "headcounts")
        for kind in ("xlsx", "csv")
    },
}

ACCESS: Access = {
    **_SHEETS,
    **_ORGANIZATIONS,
    **_PEOPLE,
    **_PERSONAL,
    **_OF_UNITS,
    **_IMPORTS,
    **_ONEROSTER,
    **CHANGES,
    ("POST", "/admin/republish"): allow(OPERATORS, Everywhere()),
}
