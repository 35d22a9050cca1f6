"""OneRoster 1.1 packages, read where they can be."""

import httpx

from nastavnik_registry.imports import check
from tests.registry.importing import Import, counts, resolve
from tests.registry.packages import Roster, to_csv

USERS = (
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,"
    "familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password"
)


def older(role: str = "student") -> Roster:
    """Two people, the second of two places; and a gradebook file that 1.2 has otherwise."""
    roster = Roster(["orgs"])
    rows = [
        {"sourcedId": "u1", "orgSourcedIds": "s1", "role": role, "familyName": "Орлова"},
        {"sourcedId": "u2", "orgSourcedIds": "s1,d1", "role": "administrator"},
    ]
    same = {"enabledUser": "true", "username": "x", "givenName": "Анна", "familyName": "Иванова"}
    header = USERS.split(",")
    users = [[{**same, **row}.get(name, "") for name in header] for row in rows]
    roster.raw["users.csv"] = to_csv([header, *users])
    roster.raw["lineItems.csv"] = b"sourcedId,gradingPeriodSourcedId\r\nx,y\r\n"
    manifest = [
        *(["propertyName", "value"], ["manifest.version", "1.0"], ["oneroster.version", "1.1"]),
        *(["file.orgs", "bulk"], ["file.users", "bulk"], ["file.lineItems", "bulk"]),
    ]
    roster.raw["manifest.csv"] = to_csv(manifest)
    return roster


async def test_a_package_of_1_1_is_imported(client: httpx.AsyncClient, run_import: Import) -> None:
    found = await run_import(older())
    assert found["status"] == "completed", found["report"]
    assert found["report"]["versions"]["oneroster"] == "1.1"
    assert [w["code"] for w in found["report"]["warnings"]] == ["warning.older_version"]
    assert found["changes"]["participants"] == counts(2, 0, 0, 0)
    pupil = await resolve(client, "participant", "u1")
    assert [(m["kind"], m["primary"]) for m in pupil["memberships"]] == [("student", True)]
    head = await resolve(client, "participant", "u2")
    assert [m["primary"] for m in head["memberships"]] == [True, False]
    assert (await run_import(older()))["changes"]["participants"] == counts(0, 0, 2, 0)


def test_faults_of_a_package_of_1_1_have_their_place() -> None:
    report = check(older("Student").pack())
    assert [(f.code, f.file, f.line, f.column) for f in report.findings] == [
        ("row.invalid_enum", "roles.csv", 2, "role")
    ]


def test_what_only_says_1_1_is_refused_as_before() -> None:
    roster = Roster()
    roster.properties["oneroster.version"] = "1.1"
    codes = {f.code for f in check(roster.pack()).findings}
    assert codes == {"manifest.invalid_oneroster_version"}
