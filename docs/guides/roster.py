"""Small OneRoster 1.2 packages for the guide "connect a school information system".

python3 docs/guides/roster.py DIRECTORY writes first.zip, next.zip, cut.zip and faulty.zip: a
municipality with two schools and twelve pupils, and what their system might send later. All people
are invented.
"""

import csv
import io
import sys
import zipfile
from pathlib import Path

FILES = (
    *("academicSessions", "categories", "classes", "classResources", "courses"),
    *("courseResources", "demographics", "enrollments", "lineItemLearningObjectiveIds"),
    *("lineItems", "lineItemScoreScales", "orgs", "resources", "resultLearningObjectiveIds"),
    *("results", "resultScoreScales", "roles", "scoreScales", "userProfiles"),
    *("userResources", "users"),
)
HEADERS = {
    "orgs": "name,type,identifier,parentSourcedId",
    "users": "enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,"
    "phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,"
    "preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns",
    "roles": "userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId",
}
ORGS = [
    {"sourcedId": "d1", "name": "Управление образования", "type": "district"},
    {"sourcedId": "s1", "name": "Школа № 1", "type": "school", "parentSourcedId": "d1"},
    {"sourcedId": "s2", "name": "Школа № 2", "type": "school", "parentSourcedId": "d1"},
]
NAMES = ("Иванова", "Петрова", "Сидорова", "Кузнецова", "Попова", "Васильева", "Соколова")


def pupils(count: int) -> dict[str, tuple[str, str]]:
    """Outside id → family name and school."""
    return {f"p{n}": (NAMES[n % len(NAMES)], f"s{n % 2 + 1}") for n in range(1, count + 1)}


def pack(path: Path, people: dict[str, tuple[str, str]], role: str = "student") -> None:
    users = [
        {
            "sourcedId": ident,
            "enabledUser": "true",
            "username": ident,
            "givenName": "Анна",
            "familyName": name,
            "primaryOrgSourcedId": school,
        }
        for ident, (name, school) in people.items()
    ]
    roles = [
        {
            "sourcedId": f"r-{ident}",
            "userSourcedId": ident,
            "roleType": "primary",
            "role": "student" if place else role,
            "beginDate": "2026-09-01",
            "orgSourcedId": school,
        }
        for place, (ident, (_, school)) in enumerate(people.items())
    ]
    tables = {"orgs": ORGS, "users": users, "roles": roles}
    modes = {f"file.{name}": "bulk" if name in tables else "absent" for name in FILES}
    manifest = {"manifest.version": "1.0", "oneroster.version": "1.2", **modes}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.csv", text([["propertyName", "value"], *manifest.items()]))
        for name, rows in tables.items():
            header = ["sourcedId", "status", "dateLastModified", *HEADERS[name].split(",")]
            lines = [[row.get(column, "") for column in header] for row in rows]
            archive.writestr(f"{name}.csv", text([header, *lines]))


def text(rows: list) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    first = pupils(12)
    pack(folder / "first.zip", first)
    later = {**first, "p1": ("Орлова", "s2"), "p2": ("Сидорова", "s2"), "p13": ("Лисицына", "s1")}
    del later["p12"]
    pack(folder / "next.zip", later)
    pack(folder / "cut.zip", pupils(6))
    pack(folder / "faulty.zip", first, role="pupil")


main(Path(sys.argv[1]))
