"""Imports over HTTP: a package in, records and events out, all or nothing."""

import asyncio
import io
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import structlog
from fastapi import FastAPI

from nastavnik_common import clock, logs
from nastavnik_common.settings import Settings
from tests.registry.conftest import Events, Made
from tests.registry.importing import ZIP, Import, counts, resolve
from tests.registry.packages import Roster

TODAY = clock.now().date().isoformat()


def waiting(import_dir: Path) -> int:
    """How many packages, whole or partial, lie there."""
    return len(list(import_dir.rglob("*.*")))


async def test_a_package_becomes_records_and_events(
    client: httpx.AsyncClient, run_import: Import, events: Events, import_dir: Path
) -> None:
    roster = Roster()
    roster.edit("users", 2, "primaryOrgSourcedId", "s1")
    found = await run_import(roster)
    assert found["status"] == "completed", found
    assert found["changes"] == {
        "organizations": counts(2, 0, 0, 0),
        "participants": counts(3, 0, 0, 0),
    }
    assert found["report"]["valid"]
    school = await resolve(client, "organization", "s1")
    district = await resolve(client, "organization", "d1")
    assert (school["level"], school["kind"]) == ("organization", "general")
    assert [p["parent_id"] for p in school["placements"]] == [district["id"]]
    pupil = await resolve(client, "participant", "u1")
    assert (pupil["family_name"], pupil["birth_date"]) == ("Иванова", "2010-02-28")
    assert [(m["kind"], m["primary"]) for m in pupil["memberships"]] == [("student", True)]
    made = await events()
    assert len(made) == 5
    assert all(e.type.endswith(".registered.v1") for e in made)
    assert not any("Иванова" in e.text or "anna" in e.text for e in made)
    assert waiting(import_dir) == 0


async def test_the_same_again_changes_nothing(run_import: Import, events: Events) -> None:
    await run_import(Roster())
    await events()
    found = await run_import(Roster())
    assert found["changes"] == {
        "organizations": counts(0, 0, 2, 0),
        "participants": counts(0, 0, 3, 0),
    }
    assert await events() == []


async def test_only_what_differs_is_written(
    client: httpx.AsyncClient, run_import: Import, events: Events
) -> None:
    await run_import(Roster())
    await events()
    roster = Roster()
    roster.edit("users", 3, "familyName", "Петрова")
    roster.edit("orgs", 3, "name", "Лицей")
    roster.add(
        "roles", sourcedId="r9", userSourcedId="u3", roleType="primary", role="teacher",
        orgSourcedId="s1", beginDate="2020-09-01",
    )  # fmt: skip
    found = await run_import(roster)
    assert found["changes"] == {
        "organizations": counts(0, 1, 1, 0),
        "participants": counts(0, 2, 1, 0),
    }
    made = await events()
    assert sorted((e.type, e.version) for e in made) == [
        ("nastavnik.organization.changed.v1", 2),
        ("nastavnik.participant.changed.v1", 2),
        ("nastavnik.participant.changed.v1", 2),
    ]
    teacher = await resolve(client, "participant", "u3")
    assert [(m["kind"], m["since"]) for m in teacher["memberships"]] == [("teacher", "2020-09-01")]


async def test_the_vanished_stay(
    client: httpx.AsyncClient, run_import: Import, events: Events
) -> None:
    await run_import(Roster())
    await events()
    smaller = Roster()
    smaller.edit("users", 2, "agentSourcedIds", "u2")
    smaller.files["users"].pop()
    found = await run_import(smaller)
    assert found["changes"]["participants"] == counts(0, 0, 2, 1)
    assert (await resolve(client, "participant", "u3"))["family_name"] == "Иванова"
    assert await events() == []


async def test_a_faulty_package_changes_nothing(
    run_import: Import, events: Events, connection: asyncpg.Connection
) -> None:
    roster = Roster()
    roster.edit("roles", 2, "role", "Student")
    found = await run_import(roster)
    assert (found["status"], found["changes"]) == ("rejected", None)
    (finding,) = found["report"]["findings"]
    assert (finding["code"], finding["file"], finding["line"]) == (
        "row.invalid_enum",
        "roles.csv",
        2,
    )
    # larger than any other body may be
    garbage = await run_import(b"this is no archive" * 1_000_000)
    assert garbage["status"] == "rejected"
    assert garbage["report"]["findings"][0]["code"] == "zip.invalid_archive"
    assert await events() == []
    assert await connection.fetchval("select count(*) from org_unit") == 0


async def test_values_out_of_reason_are_refused_with_their_place(run_import: Import) -> None:
    roster = Roster()
    roster.edit("demographics", 2, "birthDate", "1012-02-28")
    roster.edit("users", 3, "familyName", "я" * 256)
    found = await run_import(roster)
    assert found["status"] == "rejected"
    places = {(f["code"], f["file"], f["line"]) for f in found["report"]["findings"]}
    assert places == {
        ("import.birth_date", "demographics.csv", 2),
        ("import.text_too_long", "users.csv", 3),
    }


async def test_units_without_parents_stand_under_the_one_named(
    client: httpx.AsyncClient, make: Made, run_import: Import
) -> None:
    region = await make("organizations", level="region", name="Область")
    found = await run_import(Roster(), under=region["id"])
    assert found["status"] == "completed"
    district = await resolve(client, "organization", "d1")
    assert [p["parent_id"] for p in district["placements"]] == [region["id"]]
    again = await run_import(Roster(), under=region["id"])
    assert again["changes"]["organizations"] == counts(0, 0, 2, 0)
    school = await make.school()
    wrong = await run_import(Roster(), under=school["id"])
    assert wrong["report"]["findings"][0]["code"] == "import.under_level"


async def test_a_moved_school_keeps_its_past(
    client: httpx.AsyncClient, run_import: Import, events: Events
) -> None:
    roster = Roster()
    roster.add("orgs", sourcedId="d2", name="Другой округ", type="district")
    await run_import(roster)
    await events()
    roster.edit("orgs", 3, "parentSourcedId", "d2")
    found = await run_import(roster)
    assert found["changes"]["organizations"] == counts(0, 1, 2, 0, moved=1)
    school = await resolve(client, "organization", "s1")
    old, new = school["placements"]
    assert old["until"] == new["since"] is not None
    assert (old["since"], new["until"]) == (None, None)


async def test_kinds_follow_the_organisation(client: httpx.AsyncClient, run_import: Import) -> None:
    roster = Roster()
    roster.edit("orgs", 3, "type", "ext:vocational")
    roster.drop("classes")
    for table in ("courses", "enrollments"):
        roster.drop(table)
    found = await run_import(roster)
    assert found["status"] == "completed", found["report"]
    assert (await resolve(client, "organization", "s1"))["kind"] == "vocational"
    pupil = await resolve(client, "participant", "u1")
    assert pupil["memberships"][0]["kind"] == "vocational_student"


def changes(*tables: str) -> Roster:
    """A package of changes: the sound roster's rows, all active."""
    return Roster(tables, mode="delta")


async def test_changes_are_applied(
    client: httpx.AsyncClient, run_import: Import, events: Events
) -> None:
    roster = Roster()
    roster.add("orgs", sourcedId="s2", name="Школа № 2", type="school", parentSourcedId="d1")
    await run_import(roster)
    await events()
    delta = changes("users", "roles")
    delta.files["users"] = delta.files["users"][:2]  # u1
    delta.edit("users", 2, "familyName", "Орлова")
    delta.files["roles"] = delta.files["roles"][:2]  # its role of a pupil
    delta.edit("roles", 2, "status", "tobedeleted")
    stamp = {"status": "active", "dateLastModified": "2026-10-01T10:00:00.000Z"}
    delta.add(
        "roles", sourcedId="r7", userSourcedId="u1", roleType="primary", role="student",
        orgSourcedId="s2", beginDate=TODAY, **stamp,
    )  # fmt: skip
    delta.add(
        "users", sourcedId="u9", enabledUser="true", username="new", givenName="Пётр",
        familyName="Новиков", **stamp,
    )  # fmt: skip
    found = await run_import(delta)
    assert found["status"] == "completed", found
    assert found["changes"]["participants"] == counts(1, 1, 0, 0, moved=1)
    pupil = await resolve(client, "participant", "u1")
    assert (pupil["family_name"], pupil["birth_date"]) == ("Орлова", "2010-02-28")
    old, new = pupil["memberships"]
    assert (old["until"], old["primary"]) == (TODAY, True)
    assert (new["since"], new["until"], new["primary"]) == (TODAY, None, True)
    assert sorted((e.type.split(".")[2], e.version) for e in await events()) == [
        ("changed", 2),
        ("registered", 1),
    ]
    again = await run_import(delta)
    assert again["changes"]["participants"] == counts(0, 0, 2, 0)
    assert await events() == []


async def test_a_person_to_be_deleted_stays_with_ended_memberships(
    client: httpx.AsyncClient, run_import: Import
) -> None:
    await run_import(Roster())
    delta = changes("users")
    delta.edit("users", 2, "status", "tobedeleted")
    found = await run_import(delta)
    assert found["changes"]["participants"] == counts(0, 1, 2, 0, ended=1)
    pupil = await resolve(client, "participant", "u1")
    assert [m["until"] for m in pupil["memberships"]] == [TODAY]
    back = await run_import(Roster())
    assert back["changes"]["participants"] == counts(0, 1, 2, 0)


async def test_changes_of_the_unknown_are_refused(run_import: Import) -> None:
    found = await run_import(changes("demographics"))
    assert found["status"] == "rejected"
    assert [f["code"] for f in found["report"]["findings"]] == ["import.unknown_user"]
    found = await run_import(changes("roles"))
    assert {f["code"] for f in found["report"]["findings"]} == {"import.unknown_org"}


async def test_a_form_uploads_too_and_the_key_covers_the_bytes(
    app: FastAPI, client: httpx.AsyncClient, import_dir: Path
) -> None:
    package = Roster().pack().getvalue()
    url = "/imports?source=sgo"
    headers = {"Idempotency-Key": str(uuid4())}
    first = await client.post(url, content=package, headers={**ZIP, **headers})
    again = await client.post(url, content=package, headers={**ZIP, **headers})
    assert (first.status_code, again.json()) == (202, first.json())
    other = await client.post(url, content=package + b" ", headers={**ZIP, **headers})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.key_reused")
    form = await client.post(url, files={"file": ("a.zip", io.BytesIO(package))})
    assert form.status_code == 202, form.text
    assert waiting(import_dir) == 2
    await app.state.service.jobs.drain()
    listed = (await client.get("/imports", params={"source": "sgo", "limit": 1})).json()
    assert listed["items"][0]["id"] == form.json()["id"]
    assert listed["items"][0]["changes"]["participants"] == counts(0, 0, 3, 0)
    rest = await client.get("/imports", params={"cursor": listed["next_cursor"]})
    assert [one["id"] for one in rest.json()["items"]] == [first.json()["id"]]


async def test_what_cannot_be_taken_in_leaves_no_file(
    app: FastAPI, client: httpx.AsyncClient, import_dir: Path
) -> None:
    async def refused(**request: Any) -> tuple[int, str]:
        answer = await client.post("/imports", **{"params": {"source": "sgo"}, **request})
        return answer.status_code, answer.json()["code"]

    async def endless() -> Any:
        for _ in range(60):
            yield b"\0" * 1_000_000

    assert await refused(content=endless(), headers=ZIP) == (413, "body.too_large")
    assert await refused(content=b"\0" * 50_000_001, headers=ZIP) == (413, "body.too_large")
    big = io.BytesIO(b"\0" * 50_000_000)
    assert await refused(files={"file": ("a.zip", big)}) == (413, "body.too_large")
    assert await refused(content=b"", headers=ZIP) == (422, "import.empty")
    assert await refused(json={}) == (415, "import.media_type")
    assert await refused(files={"other": ("a.zip", b"x")}) == (422, "import.no_file")
    assert await refused(data={"file": "text"}, files={}) == (415, "import.media_type")
    params = {"source": "sgo", "under": str(uuid4())}
    assert await refused(content=b"x", headers=ZIP, params=params) == (
        422,
        "organization.unknown",
    )
    assert await refused(content=b"x", headers=ZIP, params={"source": "../x"}) == (
        422,
        "request.invalid",
    )
    assert waiting(import_dir) == 0


async def test_a_killed_import_is_run_again(
    app: FastAPI, client: httpx.AsyncClient, connection: asyncpg.Connection, events: Events
) -> None:
    package = Roster().pack().getvalue()
    accepted = await client.post("/imports?source=sgo", content=package, headers=ZIP)
    ident = accepted.json()["id"]
    worker = asyncio.create_task(app.state.service.jobs.run())
    while await connection.fetchval("select status from import_job") == "queued":  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    worker.cancel()  # kills the process that runs it
    await asyncio.gather(worker, return_exceptions=True)
    status = await connection.fetchval("select status from import_job")
    assert status in {"checking", "applying"}
    assert await events() == []
    await app.state.service.jobs.drain()
    found = (await client.get(f"/imports/{ident}")).json()
    assert found["status"] == "completed"
    assert len(await events()) == 5


async def test_an_import_that_always_dies_ends_failed(
    app: FastAPI, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    accepted = await client.post("/imports?source=sgo", content=b"x", headers=ZIP)
    await connection.execute("update import_job set attempts = 3, status = 'applying'")
    await app.state.service.jobs.drain()
    found = (await client.get(accepted.headers["location"])).json()
    assert (found["status"], found["error"]) == ("failed", "import.attempts_exhausted")


@pytest.fixture
def logged(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], str]]:
    """All that was logged so far, by the service and its workers; logging is as it was
    afterwards."""
    handlers, level = logging.root.handlers[:], logging.root.level
    stream = io.StringIO()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stream)
        logs.configure(Settings(database_url=""), "registry")
    yield lambda: stream.getvalue() + "".join(capfd.readouterr())
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


async def test_no_name_is_logged(
    client: httpx.AsyncClient, make: Made, run_import: Import, logged: Callable[[], str]
) -> None:
    school = await make.school()
    person = await make.pupil(school["id"])
    await client.patch(f"/participants/{person['id']}", json={"family_name": "Соколова\u0000"})
    roster = Roster()
    roster.edit("users", 2, "email", "x" * 256)
    await run_import(roster)
    await run_import(Roster())
    text = logged()
    assert '"request"' in text
    for name in ("Соколова", "Вера", "Иванова", "Анна", "xxxx"):
        assert name not in text


async def test_what_a_crash_left_behind_is_removed(app: FastAPI, import_dir: Path) -> None:
    folder = import_dir / "imports"
    folder.mkdir(exist_ok=True)
    for name, age in ((f"{uuid4()}.zip", 7200), (f"{uuid4()}.part", 7200), (f"{uuid4()}.zip", 0)):
        path = folder / name
        path.write_bytes(b"x")
        os.utime(path, (time.time() - age,) * 2)
    worker = asyncio.create_task(app.state.service.jobs.run())
    async with asyncio.timeout(10):
        while waiting(import_dir) > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    await asyncio.to_thread(shutil.rmtree, folder)
