"""OneRoster 1.2 bulk packages: one of the territories, one of each municipality's organisations.

Rows go to the disk as they are made; no package is ever in memory whole.
"""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from nastavnik_local.sample_model import Municipality, Person, Region
from nastavnik_local.sample_people import people

TERRITORIES = "sample-territories"
FEDERATION, REGION = "rf", "region"

_FILES = (
    *("academicSessions", "categories", "classes", "classResources", "courses", "courseResources"),
    *("demographics", "enrollments", "lineItemLearningObjectiveIds", "lineItems"),
    *("lineItemScoreScales", "orgs", "resources", "resultLearningObjectiveIds", "results"),
    *("resultScoreScales", "roles", "scoreScales", "userProfiles", "userResources", "users"),
)
_COMMON = ("sourcedId", "status", "dateLastModified")
_ORGS = (*_COMMON, "name", "type", "identifier", "parentSourcedId")
_USERS = (
    *_COMMON,
    *("enabledUser", "username", "userIds", "givenName", "familyName", "middleName"),
    *("identifier", "email", "sms", "phone", "agentSourcedIds", "grades", "password"),
    *("userMasterIdentifier", "preferredGivenName", "preferredMiddleName"),
    *("preferredFamilyName", "primaryOrgSourcedId", "pronouns", "metadata.teachingSince"),
)
_ROLES = (
    *_COMMON,
    *("userSourcedId", "roleType", "role", "beginDate", "endDate", "orgSourcedId"),
    "userProfileSourcedId",
)
_DEMOGRAPHICS = (
    *_COMMON,
    *("birthDate", "sex", "americanIndianOrAlaskaNative", "asian", "blackOrAfricanAmerican"),
    *("nativeHawaiianOrOtherPacificIslander", "white", "demographicRaceTwoOrMoreRaces"),
    *("hispanicOrLatinoEthnicity", "countryOfBirthCode", "stateOfBirthAbbreviation"),
    *("cityOfBirth", "publicSchoolResidenceStatus"),
)
_ORG_TYPES = {"general": "school"}

Row = Sequence[str]
Rows = Iterable[Row]


def write_packages(
    region: Region, folder: Path, done: Callable[[Path], None] = lambda _: None
) -> list[Path]:
    """All packages of the region in `folder`, the territories first; `done` hears of each."""
    folder.mkdir(parents=True, exist_ok=True)
    found = [write_territories(region, folder)]
    done(found[0])
    for place in region.municipalities:
        found.append(write_municipality(region, place, folder))
        done(found[-1])
    return found


def write_territories(region: Region, folder: Path) -> Path:
    """Federation, region and municipalities; source `TERRITORIES`."""
    rows = [
        ("Российская Федерация", "national", "", FEDERATION, ""),
        (region.scale.region, "state", "99000000", REGION, FEDERATION),
        *((place.name, "local", place.oktmo, place.sid, REGION) for place in region.municipalities),
    ]
    path = folder / f"{TERRITORIES}.zip"
    orgs = [_org(sid, name, kind, code, parent) for name, kind, code, sid, parent in rows]
    _write(path, {"orgs": (_ORGS, orgs)}, TERRITORIES)
    return path


def write_municipality(region: Region, place: Municipality, folder: Path) -> Path:
    """Organisations, people and roles; its organisations have no parent: import it `under`."""
    path = folder / f"{place.source}.zip"
    tables: dict[str, tuple[Row, Rows]] = {
        "demographics": (_DEMOGRAPHICS, map(_demographics, people(region, place))),
        "orgs": (_ORGS, _organizations(place)),
        "roles": (_ROLES, _all_roles(people(region, place))),
        "users": (_USERS, map(_user, people(region, place))),
    }
    _write(path, tables, place.source)
    return path


def _write(path: Path, tables: dict[str, tuple[Row, Rows]], system: str) -> None:
    partial = path.with_suffix(".part")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        _write_table(archive, "manifest", ("propertyName", "value"), _manifest(tables, system))
        for name, (header, rows) in tables.items():
            _write_table(archive, name, header, rows)
    partial.replace(path)


def _write_table(archive: zipfile.ZipFile, name: str, header: Row, rows: Rows) -> None:
    """A fixed time stamp keeps the bytes of a seed's packages equal on every day."""
    info = zipfile.ZipInfo(f"{name}.csv", (2020, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    with (
        archive.open(info, "w", force_zip64=True) as entry,
        io.TextIOWrapper(entry, "utf-8", newline="") as text,
    ):
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(rows)


def _manifest(tables: Iterable[str], system: str) -> Iterator[Row]:
    yield "manifest.version", "1.0"
    yield "oneroster.version", "1.2"
    for name in _FILES:
        yield f"file.{name}", "bulk" if name in tables else "absent"
    yield "source.systemName", "Nastavnik sample"
    yield "source.systemCode", system


def _org(sid: str, name: str, kind: str, code: str, parent: str = "") -> Row:
    return (sid, "", "", name, kind, code, parent)


def _organizations(place: Municipality) -> Iterator[Row]:
    for org in place.organizations:
        kind = _ORG_TYPES.get(org.kind, f"ext:{org.kind}")
        yield _org(org.sid, org.name, kind, org.sid.upper())


def _user(person: Person) -> Row:
    since = person.teaching_since.isoformat() if person.teaching_since else ""
    grade = f"{person.grade:02d}" if person.grade else ""
    return (
        *(person.sid, "", "", "true", person.sid, ""),
        *(person.given, person.family, person.middle, ""),
        *(f"{person.sid}@school.test", "", "", "", grade, "", "", "", "", ""),
        *(person.roles[0].org, "", since),
    )


def _all_roles(everybody: Iterable[Person]) -> Iterator[Row]:
    for person in everybody:
        for number, role in enumerate(person.roles, 1):
            kind = "primary" if role.primary else "secondary"
            yield (
                *(f"{person.sid}-{number}", "", "", person.sid, kind, role.role),
                *(role.begin, role.end, role.org, ""),
            )


def _demographics(person: Person) -> Row:
    sex = "female" if person.middle.endswith("на") else "male"
    return (person.sid, "", "", person.born.isoformat(), sex, *[""] * 11)
