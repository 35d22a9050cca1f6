"""The tables of OneRoster 1.2.1: columns in their fixed order, with kinds and vocabularies.

A column is written `name`, `*` if required, and `:kind` unless it is plain text. Kinds: bool, date,
year, int, float, list, ids (a list of `{TYPE:id}`), enum=<vocabulary>, enums=<vocabulary> (a list),
ref=<table>, refs=<table> (a list).

Extension tokens (`ext:` and at least one of `0-9a-zA-Z.-_`) are accepted in academicSessions.type,
orgs.type, classes.classType, roles.role, enrollments.role, demographics.sex, and outside rostering
in resources.roles, results.scoreStatus and the learning objectives' source. roles.roleType, status,
resources.importance and true/false are closed.

The tables outside rostering (gradebook, resources) follow the public conformance implementation.
"""

from __future__ import annotations

import msgspec


class Vocabulary(msgspec.Struct, frozen=True):
    values: frozenset[str]
    extensible: bool


class Column(msgspec.Struct, frozen=True):
    """`of` is the vocabulary of an enum, or the table a reference points to."""

    name: str
    kind: str = "text"
    required: bool = False
    of: str = ""


class Table(msgspec.Struct, frozen=True):
    """`columns` come after the three common ones."""

    name: str
    columns: tuple[Column, ...]

    @property
    def file(self) -> str:
        return f"{self.name}.csv"


COMMON = ("sourcedId", "status", "dateLastModified")


def _words(words: str, extensible: bool = True) -> Vocabulary:
    return Vocabulary(frozenset(words.split()), extensible)


VOCABULARIES = {
    "status": _words("active tobedeleted", extensible=False),
    "sessionType": _words("gradingPeriod semester schoolYear term"),
    "orgType": _words("department school district local state national"),
    "classType": _words("homeroom scheduled"),
    "roleType": _words("primary secondary", extensible=False),
    "role": _words(
        "aide counselor districtAdministrator guardian parent principal proctor relative"
        " siteAdministrator student systemAdministrator teacher"
    ),
    "enrollmentRole": _words("administrator proctor student teacher"),
    "sex": _words("male female unspecified other"),
    "resourceRole": _words("administrator aide guardian parent proctor relative student teacher"),
    "importance": _words("primary secondary", extensible=False),
    "scoreStatus": Vocabulary(
        frozenset(["exempt", "fully graded", "not submitted", "partially graded", "submitted"]),
        True,
    ),
    "source": _words("case unknown"),
}

_TABLES = {
    "academicSessions": "title* type*:enum=sessionType startDate*:date endDate*:date"
    " parentSourcedId:ref=academicSessions schoolYear*:year",
    "categories": "title* weight:int",
    "classes": "title* grades:list courseSourcedId*:ref=courses classCode classType*:enum=classType"
    " location schoolSourcedId*:ref=orgs termSourcedIds*:refs=academicSessions subjects:list"
    " subjectCodes:list periods:list",
    "classResources": "title classSourcedId*:ref=classes resourceSourcedId*:ref=resources",
    "courses": "schoolYearSourcedId:ref=academicSessions title* courseCode grades:list"
    " orgSourcedId*:ref=orgs subjects:list subjectCodes:list",
    "courseResources": "title courseSourcedId*:ref=courses resourceSourcedId*:ref=resources",
    "demographics": "birthDate:date sex:enum=sex americanIndianOrAlaskaNative:bool asian:bool"
    " blackOrAfricanAmerican:bool nativeHawaiianOrOtherPacificIslander:bool white:bool"
    " demographicRaceTwoOrMoreRaces:bool hispanicOrLatinoEthnicity:bool countryOfBirthCode"
    " stateOfBirthAbbreviation cityOfBirth publicSchoolResidenceStatus",
    "enrollments": "classSourcedId*:ref=classes schoolSourcedId*:ref=orgs userSourcedId*:ref=users"
    " role*:enum=enrollmentRole primary:bool beginDate:date endDate:date",
    "lineItemLearningObjectiveIds": "lineItemSourcedId*:ref=lineItems source*:enum=source"
    " learningObjectiveId*",
    "lineItems": "title* description assignDate*:date dueDate*:date classSourcedId*:ref=classes"
    " categorySourcedId*:ref=categories academicSessionSourcedId*:ref=academicSessions"
    " resultValueMin:float resultValueMax:float schoolSourcedId*:ref=orgs",
    "lineItemScoreScales": "title lineItemSourcedId*:ref=lineItems"
    " scoreScaleSourcedId*:ref=scoreScales",
    "orgs": "name* type*:enum=orgType identifier parentSourcedId:ref=orgs",
    "resources": "vendorResourceId* title roles:enums=resourceRole importance:enum=importance"
    " vendorId applicationId",
    "resultLearningObjectiveIds": "resultSourcedId*:ref=results source*:enum=source"
    " learningObjectiveId* score:float textScore",
    "results": "lineItemSourcedId*:ref=lineItems studentSourcedId*:ref=users"
    " scoreStatus*:enum=scoreStatus score:float scoreDate*:date comment textScore"
    " classSourcedId:ref=classes inProgress:bool incomplete:bool late:bool missing:bool",
    "resultScoreScales": "title resultSourcedId*:ref=results scoreScaleSourcedId*:ref=scoreScales",
    "roles": "userSourcedId*:ref=users roleType*:enum=roleType role*:enum=role beginDate:date"
    " endDate:date orgSourcedId*:ref=orgs userProfileSourcedId:ref=userProfiles",
    "scoreScales": "title* type* orgSourcedId*:ref=orgs courseSourcedId*:ref=courses"
    " classSourcedId*:ref=classes scoreScaleValue*:list",
    "userProfiles": "userSourcedId*:ref=users profileType* vendorId* applicationId description"
    " credentialType* username* password",
    "userResources": "userSourcedId*:ref=users orgSourcedId:ref=orgs classSourcedId:ref=classes"
    " resourceSourcedId*:ref=resources",
    "users": "enabledUser*:bool username* userIds:ids givenName* familyName* middleName identifier"
    " email sms phone agentSourcedIds:refs=users grades:list password userMasterIdentifier"
    " preferredGivenName preferredMiddleName preferredFamilyName primaryOrgSourcedId:ref=orgs"
    " pronouns",
}


def _column(text: str) -> Column:
    head, _, kind = text.partition(":")
    kind, _, of = kind.partition("=")
    return Column(head.rstrip("*"), kind or "text", head.endswith("*"), of)


TABLES = {name: Table(name, tuple(map(_column, text.split()))) for name, text in _TABLES.items()}

# The manifest's order, in which findings are reported.
FILES = tuple(table.file for table in TABLES.values())

# The order of reading: a table comes after those it refers to, itself excepted.
READING_ORDER = (
    *("academicSessions", "orgs", "courses", "classes", "users", "userProfiles", "roles"),
    *("enrollments", "demographics"),
    *("resources", "classResources", "courseResources", "userResources"),
    *("categories", "scoreScales", "lineItems", "results"),
    *("lineItemLearningObjectiveIds", "lineItemScoreScales"),
    *("resultLearningObjectiveIds", "resultScoreScales"),
)

# Files that others refer to: their ids are kept to the end.
TARGETS = frozenset(f"{column.of}.csv" for table in TABLES.values() for column in table.columns)

_RESOURCES = Column("resourceSourcedIds", "refs", of="resources")


def columns(table: Table, header: list[str]) -> tuple[tuple[Column, ...], str]:
    """The columns after the common ones which `header` is to be held against, and the variant.

    users.csv of 1.2.0 had `resourceSourcedIds` after `userMasterIdentifier`; 1.2.1 dropped it.
    """
    if table.name == "users" and _RESOURCES.name in header:
        at = [column.name for column in table.columns].index("userMasterIdentifier") + 1
        return (*table.columns[:at], _RESOURCES, *table.columns[at:]), "1.2.0"
    return table.columns, ""
