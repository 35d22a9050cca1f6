"""A builder of OneRoster packages: a small sound roster, to be spoilt at one place."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping

HEADERS = {
    "academicSessions": "title,type,startDate,endDate,parentSourcedId,schoolYear",
    "categories": "title,weight",
    "classes": "title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,"
    "termSourcedIds,subjects,subjectCodes,periods",
    "classResources": "title,classSourcedId,resourceSourcedId",
    "courses": "schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes",
    "courseResources": "title,courseSourcedId,resourceSourcedId",
    "demographics": "birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,"
    "nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,"
    "hispanicOrLatinoEthnicity,countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,"
    "publicSchoolResidenceStatus",
    "enrollments": "classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate",
    "lineItemLearningObjectiveIds": "lineItemSourcedId,source,learningObjectiveId",
    "lineItems": "title,description,assignDate,dueDate,classSourcedId,categorySourcedId,"
    "academicSessionSourcedId,resultValueMin,resultValueMax,schoolSourcedId",
    "lineItemScoreScales": "title,lineItemSourcedId,scoreScaleSourcedId",
    "orgs": "name,type,identifier,parentSourcedId",
    "resources": "vendorResourceId,title,roles,importance,vendorId,applicationId",
    "resultLearningObjectiveIds": "resultSourcedId,source,learningObjectiveId,score,textScore",
    "results": "lineItemSourcedId,studentSourcedId,scoreStatus,score,scoreDate,comment,textScore,"
    "classSourcedId,inProgress,incomplete,late,missing",
    "resultScoreScales": "title,resultSourcedId,scoreScaleSourcedId",
    "roles": "userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId",
    "scoreScales": "title,type,orgSourcedId,courseSourcedId,classSourcedId,scoreScaleValue",
    "userProfiles": "userSourcedId,profileType,vendorId,applicationId,description,credentialType,"
    "username,password",
    "userResources": "userSourcedId,orgSourcedId,classSourcedId,resourceSourcedId",
    "users": "enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,"
    "phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,"
    "preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns",
}

_USER = {"enabledUser": "true", "givenName": "Анна", "familyName": "Иванова"}

ROSTER: dict[str, list[dict[str, str]]] = {
    "academicSessions": [
        {
            "sourcedId": "y27",
            "title": "2026/27",
            "type": "schoolYear",
            "startDate": "2026-09-01",
            "endDate": "2027-06-01",
            "schoolYear": "2027",
        },
        {
            "sourcedId": "t1",
            "title": "1 полугодие",
            "type": "term",
            "startDate": "2026-09-01",
            "endDate": "2026-12-31",
            "parentSourcedId": "y27",
            "schoolYear": "2027",
        },
    ],
    "orgs": [
        {"sourcedId": "d1", "name": "Управление образования", "type": "district"},
        {
            "sourcedId": "s1",
            "name": 'МБОУ "СОШ № 1", корпус 2',
            "type": "school",
            "parentSourcedId": "d1",
        },
    ],
    "courses": [
        {
            "sourcedId": "c1",
            "schoolYearSourcedId": "y27",
            "title": "Алгебра",
            "orgSourcedId": "s1",
            "subjects": "Алгебра,Геометрия",
            "subjectCodes": "A,G",
        },
    ],
    "classes": [
        {
            "sourcedId": "k1",
            "title": "9А",
            "courseSourcedId": "c1",
            "classType": "scheduled",
            "schoolSourcedId": "s1",
            "termSourcedIds": "y27,t1",
            "subjects": "Алгебра,Геометрия",
            "subjectCodes": "A,G",
        },
    ],
    "users": [
        _USER | {"sourcedId": "u1", "username": "anna", "agentSourcedIds": "u2,u3"},
        _USER | {"sourcedId": "u2", "username": "boris", "primaryOrgSourcedId": "s1"},
        _USER | {"sourcedId": "u3", "username": "vera", "userIds": "{SNILS:1},{LDAP:vera}"},
    ],
    "roles": [
        {
            "sourcedId": "r1",
            "userSourcedId": "u1",
            "roleType": "primary",
            "role": "student",
            "orgSourcedId": "s1",
        },
        {
            "sourcedId": "r2",
            "userSourcedId": "u1",
            "roleType": "secondary",
            "role": "ext:mentor",
            "orgSourcedId": "s1",
            "beginDate": "2026-09-01",
            "endDate": "2026-09-01",
        },
    ],
    "enrollments": [
        {
            "sourcedId": "e1",
            "classSourcedId": "k1",
            "schoolSourcedId": "s1",
            "userSourcedId": "u1",
            "role": "student",
            "primary": "false",
        },
    ],
    "demographics": [{"sourcedId": "u1", "birthDate": "2010-02-28", "sex": "female"}],
}


class Roster:
    """Files as lists of rows, the header first. Edit, then pack."""

    def __init__(self, tables: Iterable[str] | None = None, mode: str = "bulk") -> None:
        chosen = list(ROSTER) if tables is None else list(tables)
        self.modes = dict.fromkeys(HEADERS, "absent") | dict.fromkeys(chosen, mode)
        self.files: dict[str, list[list[str]]] = {}
        for table in chosen:
            self.set(table, ROSTER.get(table, []))
            if mode == "delta":
                for line in range(2, len(self.files[table]) + 1):
                    self.edit(table, line, "status", "active")
                    self.edit(table, line, "dateLastModified", "2026-10-01T10:00:00.000Z")
        self.properties = {"manifest.version": "1.0", "oneroster.version": "1.2"}
        self.raw: dict[str, bytes] = {}  # entries as they are, instead of or beside the files

    def set(self, table: str, rows: Iterable[Mapping[str, str]], mode: str | None = None) -> None:
        """Give a table the `rows`; with `mode`, declare it."""
        header = ["sourcedId", "status", "dateLastModified", *HEADERS[table].split(",")]
        self.files[table] = [header, *([row.get(name, "") for name in header] for row in rows)]
        if mode:
            self.modes[table] = mode

    def add(self, table: str, **values: str) -> None:
        """Append a row."""
        self.files[table].append([values.get(name, "") for name in self.files[table][0]])

    def edit(self, table: str, line: int, column: str, value: str) -> None:
        """Overwrite one field; `line` as in findings."""
        rows = self.files[table]
        rows[line - 1][rows[0].index(column)] = value

    def drop(self, table: str) -> None:
        """Leave a table out and say so."""
        del self.files[table]
        self.modes[table] = "absent"

    def manifest(self) -> list[list[str]]:
        """The manifest as rows; it can be edited and given back as `raw["manifest.csv"]`."""
        files = [[f"file.{table}", mode] for table, mode in self.modes.items()]
        return [["propertyName", "value"], *map(list, self.properties.items()), *files]

    def entries(self) -> dict[str, bytes]:
        """Entry name → bytes."""
        files = {f"{table}.csv": to_csv(rows) for table, rows in self.files.items()}
        return {"manifest.csv": to_csv(self.manifest())} | files | self.raw

    def pack(self) -> io.BytesIO:
        """The archive."""
        return pack(self.entries())


def to_csv(rows: Iterable[Iterable[str]]) -> bytes:
    """Rows as UTF-8 with CRLF."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def pack(
    entries: Mapping[str, bytes] | Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED
) -> io.BytesIO:
    """An archive of `entries`; pairs may repeat a name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries.items() if isinstance(entries, Mapping) else entries:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    out.seek(0)
    return out
