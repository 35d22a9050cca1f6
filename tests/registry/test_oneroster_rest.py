"""What the registry holds, taken from it by the rules of OneRoster 1.2."""

import re
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from nastavnik_common.auth import Role
from tests import tokens
from tests.registry import oneroster_bodies as standard
from tests.registry.conftest import Made

BASE = "/ims/oneroster/rostering/v1p2"


class Rest:
    """A client that holds every body against the standard."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self._client.get(f"{BASE}/{path}", params=params)

    async def many(self, path: str, plural: str, **params: Any) -> list[dict[str, Any]]:
        answer = await self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return standard.check_many(plural, answer.json())

    async def ids(self, path: str, plural: str = "users", **params: Any) -> list[str]:
        return [one["sourcedId"] for one in await self.many(path, plural, **params)]


@pytest.fixture
def rest(client: httpx.AsyncClient) -> Rest:
    return Rest(client)


class Region:
    """A district with a school and a college, a pupil, a teacher, a student."""

    def __init__(self, district: Any, school: Any, college: Any, people: list[Any]) -> None:
        self.district, self.school, self.college = district["id"], school["id"], college["id"]
        self.pupil, self.teacher, self.student = (person["id"] for person in people)


@pytest.fixture
async def region(make: Made) -> Region:
    district = await make("organizations", level="municipality", name="Округ", oktmo="45000000")
    under = {"placements": [{"parent_id": district["id"]}]}
    school = await make.school(name="Школа «Восток»", inn="7707083893", **under)
    college = await make.school(name="Колледж", kind="vocational", **under)
    people = [
        await make.pupil(
            school["id"],
            birth_date="2010-05-04",
            email="vera@example.org",
            external_ids=[{"source": "sgo", "id": "u-1"}],
        ),
        await make(
            "participants",
            family_name="О'Нил",
            given_name="Пётр",
            middle_name="Ильич",
            teaching_since="2020-09-01",
            memberships=[
                {"organization_id": school["id"], "kind": "teacher", "since": "2020-09-01"},
                {
                    "organization_id": college["id"],
                    "kind": "alumnus",
                    "primary": False,
                    "since": "2010-09-01",
                    "until": "2014-07-01",
                },
            ],
        ),
        await make(
            "participants",
            family_name="Белова",
            given_name="Анна",
            memberships=[{"organization_id": college["id"], "kind": "vocational_student"}],
        ),
    ]
    return Region(district, school, college, people)


async def test_orgs_have_their_place_and_type(rest: Rest, region: Region) -> None:
    found = {one["sourcedId"]: one for one in await rest.many("orgs", "orgs")}
    district, school = found[region.district], found[region.school]
    assert (district["type"], district["identifier"]) == ("district", "45000000")
    assert {child["sourcedId"] for child in district["children"]} == {
        region.school,
        region.college,
    }
    assert (school["type"], school["name"], school["identifier"]) == (
        "school",
        "Школа «Восток»",
        "7707083893",
    )
    assert school["parent"]["sourcedId"] == region.district
    assert school["metadata"] == {"inn": "7707083893"}
    assert found[region.college]["type"] == "ext:vocational"
    assert await rest.ids("schools", "orgs") == [region.school]
    one = await rest._client.get(urlsplit(school["parent"]["href"]).path)
    assert one.json() == {"org": district}


async def test_users_have_their_roles(rest: Rest, region: Region) -> None:
    found = {one["sourcedId"]: one for one in await rest.many("users", "users")}
    teacher = found[region.teacher]
    roles = [
        (r["roleType"], r["role"], r["org"]["sourcedId"], r.get("beginDate"), r.get("endDate"))
        for r in teacher["roles"]
    ]
    assert roles == [
        ("primary", "teacher", region.school, "2020-09-01", None),
        ("secondary", "ext:alumnus", region.college, "2010-09-01", "2014-07-01"),
    ]
    assert teacher["primaryOrg"]["sourcedId"] == region.school
    assert teacher["metadata"] == {"teachingSince": "2020-09-01"}
    assert found[region.student]["roles"][0]["role"] == "student"
    assert found[region.pupil]["userIds"] == [{"type": "sgo", "identifier": "u-1"}]
    assert (await rest.get(f"users/{region.pupil}")).json() == {"user": found[region.pupil]}
    assert set(await rest.ids("students")) == {region.pupil, region.student}
    assert await rest.ids("teachers") == [region.teacher]
    assert await rest.ids(f"schools/{region.school}/students") == [region.pupil]
    assert await rest.ids(f"schools/{region.school}/teachers") == [region.teacher]
    (born,) = await rest.many("demographics", "demographics")
    assert (born["sourcedId"], born["birthDate"]) == (region.pupil, "2010-05-04")


async def test_the_deleted_are_to_be_deleted_and_nothing_is_left_of_them(
    client: httpx.AsyncClient, rest: Rest, region: Region
) -> None:
    before = (await rest.get(f"users/{region.pupil}")).json()["user"]["dateLastModified"]
    await client.delete(f"/participants/{region.pupil}")
    since = f"dateLastModified>'{before}' AND status='tobedeleted'"
    (gone,) = await rest.many("users", "users", filter=since)
    assert gone["sourcedId"] == region.pupil
    assert (gone["givenName"], gone["roles"], gone["enabledUser"]) == ("", [], "false")
    assert "email" not in gone
    (born,) = await rest.many("demographics", "demographics")
    assert (born["status"], "birthDate" in born) == ("tobedeleted", False)
    assert await rest.ids(f"schools/{region.school}/students") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("familyName='О''Нил'", ["teacher"]),
        ("familyName~'бел' OR givenName='Вера'", ["pupil", "student"]),
        ("familyName!='Белова' AND middleName!='Ильич'", ["pupil"]),
        ("email~'%'", []),
        ("status = 'active'", ["pupil", "student", "teacher"]),
        ("dateLastModified>='2999-01-01'", []),
        ("dateLastModified<'2999-01-01T00:00:00.000Z'", ["pupil", "student", "teacher"]),
        ("givenName>'Б' AND givenName<'П'", ["pupil"]),
    ],
)
async def test_filters(rest: Rest, region: Region, text: str, expected: list[str]) -> None:
    names = {region.pupil: "pupil", region.teacher: "teacher", region.student: "student"}
    found = await rest.ids("users", filter=text)
    assert sorted(names[one] for one in found) == expected


async def test_filters_by_id_and_place(rest: Rest, region: Region) -> None:
    assert await rest.ids("users", filter=f"sourcedId='{region.pupil}'") == [region.pupil]
    assert len(await rest.ids("users", filter=f"sourcedId!='{region.pupil}'")) == 2
    at_college = f"primaryOrg.sourcedId='{region.college}'"
    assert await rest.ids("users", filter=at_college) == [region.student]
    below = f"parent.sourcedId='{region.district}' AND type='school'"
    assert await rest.ids("orgs", "orgs", filter=below) == [region.school]
    (one,) = await rest.many("users", "users", filter="givenName='Вера'")
    same = f"dateLastModified='{one['dateLastModified']}'"
    assert region.pupil in await rest.ids("users", filter=same)
    assert await rest.ids("demographics", "demographics", filter="birthDate>='2010-05-04'") == [
        region.pupil
    ]


@pytest.mark.parametrize(
    "text",
    [
        "familyName",
        "familyName='a",
        "familyName=='a'",
        "a='1' AND b='2' OR c='3'",
        "roles='student'",
        "password='x'",
        "dateLastModified='soon'",
        "dateLastModified~'2026'",
        "sourcedId>'x'",
        "birthDate='2010-02-30'",
    ],
)
async def test_filters_that_are_none(rest: Rest, text: str) -> None:
    path = "demographics" if text.startswith("birth") else "users"
    standard.check_error(400, "invalid_filter_field", await rest.get(path, filter=text))


async def test_pages_cover_a_collection_and_name_each_other(
    rest: Rest, client: httpx.AsyncClient, region: Region
) -> None:
    first = await rest.get("users", limit=2, sort="familyName", orderBy="desc")
    assert first.headers["x-total-count"] == "3"
    links = {rel: url for url, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', first.headers["link"])}
    assert set(links) == {"first", "last", "next"}
    second = await client.get(links["next"])
    names = [one["familyName"] for a in (first, second) for one in a.json()["users"]]
    assert names == ["Соколова", "О'Нил", "Белова"]
    assert 'rel="prev"' in second.headers["link"]
    assert 'rel="next"' not in second.headers["link"]
    beyond = await rest.get("users", offset=50)
    assert (beyond.json(), beyond.headers["x-total-count"]) == ({"users": []}, "3")


async def test_only_the_fields_asked_for(rest: Rest, region: Region) -> None:
    answer = await rest.get(f"users/{region.teacher}", fields="sourcedId,givenName,sms")
    assert answer.json() == {"user": {"sourcedId": region.teacher, "givenName": "Пётр"}}
    many = await rest.get("orgs", fields="name", sort="name")
    assert many.json()["orgs"][0] == {"name": "Колледж"}
    wrong = await rest.get("users", fields="givenName,shoeSize")
    standard.check_error(400, "invalid_selection_field", wrong)


async def test_what_is_not_here(rest: Rest, region: Region) -> None:
    for path, plural in (
        ("classes", "classes"),
        ("courses", "courses"),
        ("enrollments", "enrollments"),
        ("terms", "academicSessions"),
        ("academicSessions", "academicSessions"),
        ("gradingPeriods", "academicSessions"),
        (f"schools/{region.school}/classes", "classes"),
        (f"students/{region.pupil}/classes", "classes"),
    ):
        answer = await rest.get(path, filter="status='active'")
        assert (answer.status_code, answer.json()) == (200, {plural: []}), path
        assert answer.headers["x-total-count"] == "0"
    for path in (
        "users/x",
        f"users/{region.school}",
        f"teachers/{region.pupil}",
        f"schools/{region.college}",
        f"schools/{region.district}/students",
        f"teachers/{region.pupil}/classes",
        "classes/k1",
        "classes/k1/students",
        f"schools/{region.school}/classes/k1/enrollments",
    ):
        standard.check_error(404, "unknownobject", await rest.get(path))


@pytest.mark.parametrize(
    "params",
    [{"limit": 0}, {"offset": -1}, {"limit": "many"}, {"orderBy": "up"}, {"sort": "roles"}],
)
async def test_parameters_out_of_reason(rest: Rest, params: dict[str, Any]) -> None:
    standard.check_error(422, "invaliddata", await rest.get("users", **params))


async def test_refusals_have_the_form_of_the_standard(rest: Rest, region: Region) -> None:
    nobody = await rest._client.get(f"{BASE}/users", headers={"authorization": "Bearer x"})
    standard.check_error(401, "unauthorisedrequest", nobody)
    assert nobody.headers["www-authenticate"].startswith("Bearer")
    curator = tokens.headers(Role.SCHOOL, region.school)
    refused = await rest._client.get(f"{BASE}/users", headers=curator)
    standard.check_error(403, "forbidden", refused)
