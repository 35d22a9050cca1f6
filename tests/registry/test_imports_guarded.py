"""Guards of imports: dry runs, the breaker, sources, records set aside, the trace, and undo."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from nastavnik_common import clock
from tests import tokens
from tests.registry.conftest import Events, Made
from tests.registry.importing import Import, counts, resolve
from tests.registry.packages import Roster

TODAY = clock.now().date().isoformat()
Decide = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def decide(app: FastAPI, client: httpx.AsyncClient) -> Decide:
    """Decide on an import: the import afterwards, or the problem."""

    async def run(found: dict[str, Any], verb: str) -> dict[str, Any]:
        answer = await client.post(f"/imports/{found['id']}:{verb}")
        if answer.status_code >= 400:
            problem: dict[str, Any] = answer.json()
            return problem
        await app.state.service.jobs.drain()
        after: dict[str, Any] = (await client.get(f"/imports/{answer.json()['id']}")).json()
        return after

    return run


@pytest.fixture(autouse=True)
def leave_nothing(import_dir: Path) -> Iterator[None]:
    """Packages wait for decisions that nobody takes here."""
    yield
    for path in import_dir.rglob("*.*"):
        path.unlink()


async def source(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.put("/import-sources/sgo", json={"system": "Сетевой город", **body})


async def listed(client: httpx.AsyncClient, found: dict[str, Any], **query: str) -> list[Any]:
    answer = await client.get(f"/imports/{found['id']}/changes", params=query)
    items: list[Any] = answer.json()["items"]
    return items


def school(pupils: int) -> Roster:
    """A school of so many pupils: p1, p2 and so on."""
    roster = Roster(["orgs"])
    roster.set("users", [], "bulk")
    roster.set("roles", [], "bulk")
    for number in range(1, pupils + 1):
        pupil(roster, f"p{number}")
    return roster


def pupil(roster: Roster, outside: str, **more: str) -> None:
    user = {
        "enabledUser": "true",
        "username": outside,
        "givenName": "Анна",
        "familyName": "Иванова",
    }
    roster.add("users", **{**user, "sourcedId": outside, **more})
    role = {"roleType": "primary", "role": "student", "orgSourcedId": "s1"}
    roster.add("roles", sourcedId=f"r-{outside}", userSourcedId=outside, **role)


def without(roster: Roster, *outside: str) -> Roster:
    """The roster without some of its users, and their roles."""
    roster.files["users"] = [row for row in roster.files["users"] if row[0] not in outside]
    roster.files["roles"] = [row for row in roster.files["roles"] if row[3] not in outside]
    return roster


async def test_a_dry_run_tells_all_and_does_nothing_until_it_is_applied(
    client: httpx.AsyncClient, run_import: Import, events: Events, decide: Decide
) -> None:
    await source(client, vanished="end_membership")
    roster = school(4)
    roster.add("orgs", sourcedId="s2", name="Школа № 2", type="school", parentSourcedId="d1")
    await run_import(roster)
    await events()
    roster = without(roster, "p4")
    roster.edit("users", 2, "familyName", "Орлова")
    roster.edit("roles", 3, "orgSourcedId", "s2")
    pupil(roster, "p5")
    planned = await run_import(roster, dry_run="true")
    assert (planned["status"], planned["dry_run"]) == ("planned", True)
    expected = counts(1, 3, 1, 1, moved=1, ended=1)
    assert planned["changes"]["participants"] == expected
    assert await events() == []
    items = await listed(client, planned)
    assert {i["external_id"]: (i["action"], i["line"], i["fields"]) for i in items} == {
        "p1": ("changed", 2, ["family_name"]),
        "p2": ("moved", 3, ["memberships"]),
        "p4": ("ended", None, ["memberships"]),
        "p5": ("added", 5, []),
    }
    (renamed,) = await listed(client, planned, action="changed")
    assert renamed["before"] == {"family_name": "Иванова"}
    assert renamed["after"] == {"family_name": "Орлова"}
    assert [i["external_id"] for i in await listed(client, planned, action="moved")] == ["p2"]
    client.headers.update(tokens.headers("integrator", subject="another"))
    applied = await decide(planned, "apply")
    assert (applied["status"], applied["dry_run"]) == ("completed", False)
    assert (planned["created_by"], planned["decided_by"]) == (tokens.actor(), None)
    told = (applied["created_by"], applied["decided_by"])
    assert told == (tokens.actor(), tokens.actor("another"))
    assert applied["changes"]["participants"] == expected
    assert len(await events()) == 4
    assert (await decide(planned, "apply"))["code"] == "import.not_planned"


async def test_a_plan_is_stale_once_the_data_has_changed(
    client: httpx.AsyncClient, run_import: Import, decide: Decide, events: Events
) -> None:
    await run_import(school(2))
    roster = school(3)
    planned = await run_import(roster, dry_run="true")
    person = await resolve(client, "participant", "p1")
    await client.patch(f"/participants/{person['id']}", json={"email": "p1@example.org"})
    assert (await decide(planned, "apply"))["code"] == "import.stale"
    again = await run_import(roster, dry_run="true")
    await source(client, vanished="delete")
    assert (await decide(again, "apply"))["code"] == "import.stale"
    assert (await decide(again, "discard"))["status"] == "discarded"
    assert await listed(client, again) == []


async def test_a_bulk_that_removes_many_is_held_until_confirmed(
    client: httpx.AsyncClient, run_import: Import, events: Events, decide: Decide, import_dir: Path
) -> None:
    await source(client, vanished="end_membership", breaker_percent=25)
    await run_import(school(12))
    await events()
    small = without(school(12), *(f"p{n}" for n in range(1, 5)))
    held = await run_import(small)
    assert held["status"] == "held"
    assert len(list(import_dir.rglob(f"{held['id']}*"))) == 1
    assert held["held"] == {
        "code": "import.too_many_removed",
        "removed": 4,
        "known": 12,
        "limit_percent": 25,
    }
    assert await events() == []
    assert {i["action"] for i in await listed(client, held)} == {"ended"}
    done = await decide(held, "confirm")
    assert (done["status"], done["changes"]["participants"]["ended"]) == ("completed", 4)
    assert len(await events()) == 4
    assert (await resolve(client, "participant", "p1"))["memberships"][0]["until"] == TODAY
    assert list(import_dir.rglob(f"{held['id']}*")) == []
    # within the share; and those who come back go on
    fewer = await run_import(without(school(12), "p1", "p2", "p3", "p5"))
    assert fewer["status"] == "completed"
    assert fewer["changes"]["participants"] == counts(0, 2, 7, 4, ended=1)
    assert (await resolve(client, "participant", "p4"))["memberships"][0]["until"] is None


async def test_lost_roles_trip_the_breaker_too(run_import: Import) -> None:
    await run_import(school(8))
    bare = school(8)
    bare.files["roles"] = bare.files["roles"][:2]
    assert (await run_import(bare))["held"]["removed"] == 7


async def test_the_vanished_may_be_deleted(
    client: httpx.AsyncClient,
    run_import: Import,
    events: Events,
    connection: asyncpg.Connection,
    make: Made,
) -> None:
    await source(client, vanished="delete", breaker_percent=100)
    await run_import(school(3))
    curator = await resolve(client, "participant", "p2")
    unit = curator["memberships"][0]["organization_id"]
    await make(
        "programmes",
        organization_id=unit,
        school_year="2026/27",
        curator_id=curator["id"],
        mechanisms=[],
        documents=[],
        forms=[],
        plan=[],
    )
    await events()
    found = await run_import(without(school(3), "p1", "p2"))
    assert found["changes"]["participants"] == counts(0, 1, 1, 2, ended=1, deleted=1)
    kinds = sorted((e.type.split(".")[2], e.version) for e in await events())
    assert kinds == [("changed", 2), ("deleted", 2)]
    kept = await connection.fetch(
        "select family_name from participant where deleted and family_name is not null"
    )
    assert kept == []
    traces = await connection.fetch("select line from import_change where outside = ''")
    assert sorted(row["line"] or 0 for row in traces) == [0, 2]


async def test_a_source_has_its_own_codes(client: httpx.AsyncClient, run_import: Import) -> None:
    roster = school(1)
    roster.edit("orgs", 3, "type", "колледж")
    roster.edit("roles", 2, "role", "ученик")
    refused = await run_import(roster)
    assert {f["code"] for f in refused["report"]["findings"]} == {"row.invalid_enum"}
    mapping = {"org_types": {"колледж": "vocational"}, "roles": {"ученик": "vocational_student"}}
    first = await source(client, mapping=mapping)
    assert (first.status_code, first.headers["etag"]) == (201, '"1"')
    assert (await run_import(roster))["status"] == "completed"
    assert (await resolve(client, "organization", "s1"))["kind"] == "vocational"
    person = await resolve(client, "participant", "p1")
    assert person["memberships"][0]["kind"] == "vocational_student"
    assert (await source(client, mapping=mapping)).headers["etag"] == '"1"'
    assert (await source(client, breaker_percent=5)).json()["version"] == 2
    stale = await client.put(
        "/import-sources/sgo", json={"system": "x"}, headers={"If-Match": '"1"'}
    )
    assert stale.status_code == 412
    assert (await source(client, mapping={"roles": {"a": "pirate"}})).status_code == 422
    sources = (await client.get("/import-sources")).json()["items"]
    assert [one["code"] for one in sources] == ["sgo"]


async def test_bad_records_are_set_aside_and_released_when_they_come_well(
    client: httpx.AsyncClient, run_import: Import, events: Events
) -> None:
    await source(client, partial=True, vanished="end_membership", breaker_percent=0)
    await run_import(school(3))
    await events()
    bad = school(4)
    bad.edit("users", 2, "enabledUser", "да")  # p1, known: stays as it is
    bad.edit("users", 3, "familyName", "Орлова")
    bad.edit("roles", 5, "role", "Student")  # p4: does not come
    bad.edit("users", 4, "givenName", " ")  # p3: shows only when applied
    found = await run_import(bad)
    assert (found["status"], found["quarantined"]) == ("completed", 3)
    assert not found["report"]["valid"]
    assert found["changes"]["participants"] == counts(0, 1, 0, 0)
    assert [e.version for e in await events()] == [2]
    waiting = await client.get("/import-quarantine", params={"source": "sgo", "released": False})
    assert [
        (q["external_id"], q["file"], q["line"], q["code"]) for q in waiting.json()["items"]
    ] == [
        ("p1", "users.csv", 2, "row.invalid_boolean"),
        ("p3", "users.csv", 4, "import.text_blank"),
        ("p4", "roles.csv", 5, "row.invalid_enum"),
    ]
    good = await run_import(school(4))
    assert good["changes"]["participants"] == counts(1, 1, 2, 0)
    rest = (await client.get("/import-quarantine", params={"import_id": found["id"]})).json()
    assert {q["released_by"] for q in rest["items"]} == {good["id"]}


async def test_what_stands_under_a_unit_set_aside_is_set_aside_too(
    client: httpx.AsyncClient, run_import: Import, make: Made
) -> None:
    await source(client, partial=True)
    region = await make("organizations", level="region", name="Область")
    roster = school(2)
    roster.edit("orgs", 2, "type", "raion")
    roster.add("orgs", sourcedId="s2", name="Школа № 2", type="school")
    roster.edit("roles", 3, "orgSourcedId", "s2")
    found = await run_import(roster, under=region["id"])
    assert found["status"] == "completed", found["report"]
    assert found["changes"]["organizations"]["added"] == 1
    assert found["changes"]["participants"]["added"] == 1
    aside = (await client.get("/import-quarantine")).json()["items"]
    assert sorted((q["external_id"], q["code"]) for q in aside) == [
        ("d1", "row.invalid_enum"),
        ("p1", "import.unknown_org"),
        ("s1", "import.parent_set_aside"),
    ]


async def test_faults_of_no_single_record_refuse_the_package(
    client: httpx.AsyncClient, run_import: Import, events: Events
) -> None:
    await source(client, partial=True, vanished="end_membership", breaker_percent=100)
    await run_import(school(3))
    await events()
    whose = school(3)
    whose.edit("roles", 3, "userSourcedId", "")
    assert (await run_import(whose))["status"] == "rejected"
    cut = school(3)
    cut.raw["users.csv"] = cut.entries()["users.csv"] + b'p9,"'
    assert (await run_import(cut))["status"] == "rejected"
    # a person whose id is lost must not be taken for vanished
    nameless = school(3)
    nameless.edit("users", 2, "sourcedId", "")
    nameless.files["roles"].pop(1)
    found = await run_import(nameless)
    assert (found["status"], found["quarantined"]) == ("completed", 1)
    assert found["changes"]["participants"] == counts(0, 0, 2, 1)
    assert await events() == []


async def test_every_version_is_traced_to_file_and_line(
    client: httpx.AsyncClient, run_import: Import
) -> None:
    first = await run_import(school(2))
    delta = Roster([], mode="delta")
    stamp = {"status": "active", "dateLastModified": "2026-10-01T10:00:00.000Z"}
    role = {"userSourcedId": "p2", "roleType": "primary", "role": "aide", "orgSourcedId": "s1"}
    delta.set("roles", [{"sourcedId": "r9", **role, **stamp}], "delta")
    second = await run_import(delta)
    person = await resolve(client, "participant", "p2")
    history = (await client.get(f"/participants/{person['id']}/changes")).json()["items"]
    assert [(h["version"], h["import_id"], h["file"], h["line"]) for h in history] == [
        (2, second["id"], "roles.csv", 2),
        (1, first["id"], "users.csv", 3),
    ]
    unit = await resolve(client, "organization", "s1")
    (made,) = (await client.get(f"/organizations/{unit['id']}/changes")).json()["items"]
    assert (made["action"], made["file"], made["line"]) == ("added", "orgs.csv", 3)


async def test_an_import_is_undone_except_what_has_changed_since(
    client: httpx.AsyncClient, run_import: Import, events: Events, decide: Decide
) -> None:
    await run_import(school(3))
    before = await resolve(client, "participant", "p1")
    roster = school(5)
    roster.edit("users", 2, "familyName", "Орлова")
    roster.edit("users", 3, "familyName", "Орлова")
    roster.add("orgs", sourcedId="s2", name="Школа № 2", type="school", parentSourcedId="d1")
    roster.edit("roles", 2, "orgSourcedId", "s2")
    done = await run_import(roster)
    changed = await resolve(client, "participant", "p2")
    await client.patch(f"/participants/{changed['id']}", json={"email": "p2@example.org"})
    await events()
    client.headers.update(tokens.headers("integrator", subject="another"))
    undone = await decide(done, "undo")
    assert (undone["status"], undone["undoes"]) == ("completed", done["id"]), undone
    assert (done["created_by"], undone["created_by"]) == (tokens.actor(), tokens.actor("another"))
    assert undone["changes"]["participants"] == counts(0, 1, 0, 0, deleted=2, kept=1)
    assert undone["changes"]["organizations"] == counts(0, 0, 0, 0, deleted=1)
    kept = await listed(client, undone, action="kept")
    assert [(k["external_id"], k["after"]) for k in kept] == [("p2", {"reason": "changed_since"})]
    after = await resolve(client, "participant", "p1")
    assert after == {**before, "version": 3}
    kinds = sorted(e.type.split(".")[1] + " " + e.type.split(".")[2] for e in await events())
    assert kinds == ["organization deleted", "participant changed"] + ["participant deleted"] * 2
    assert (await decide(done, "undo"))["code"] == "import.undone"
    # as if the import had never been
    again = await run_import(school(3))
    assert again["changes"]["participants"] == counts(0, 1, 2, 0)


async def test_imports_are_undone_one_after_another(
    client: httpx.AsyncClient, run_import: Import, decide: Decide
) -> None:
    imports = []
    for name in ("Первая", "Вторая", "Третья"):
        roster = school(1)
        roster.edit("users", 2, "familyName", name)
        roster.edit("orgs", 3, "name", name)
        imports.append(await run_import(roster))
    for done, name in ((imports[2], "Вторая"), (imports[1], "Первая")):
        undone = await decide(done, "undo")
        assert undone["changes"]["participants"] == counts(0, 1, 0, 0)
        assert (await resolve(client, "participant", "p1"))["family_name"] == name
        assert (await resolve(client, "organization", "s1"))["name"] == name
    redone = await decide(undone, "undo")
    assert redone["changes"]["participants"]["changed"] == 1
    assert (await resolve(client, "participant", "p1"))["family_name"] == "Вторая"


async def test_a_person_in_use_is_not_taken_back(
    client: httpx.AsyncClient, run_import: Import, decide: Decide, make: Made
) -> None:
    done = await run_import(school(1))
    person = await resolve(client, "participant", "p1")
    await make(
        "consents",
        participant_id=person["id"],
        purpose="mentoring",
        version="1",
        signed_on=TODAY,
        signed_by="self",
    )
    undone = await decide(done, "undo")
    assert undone["changes"]["participants"] == counts(0, 0, 0, 0, kept=1)
    reasons = {k["after"]["reason"] for k in await listed(client, undone, action="kept")}
    assert reasons == {"has_consents", "in_use"}
