"""Personal data over HTTP: told, erased, deleted, withdrawn, and traced by a chain that holds."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from nastavnik_common import clock
from nastavnik_common.auth import Role
from tests import tokens
from tests.registry.conftest import Events, Made
from tests.registry.importing import Import, resolve
from tests.registry.packages import Roster

TODAY = clock.now().date().isoformat()
MARK = "Меткина"
PERSON = {
    "family_name": MARK,
    "given_name": "Зоя",
    "middle_name": "Метковна",
    "birth_date": "2011-07-19",
    "email": "zoya@metka.example",
    "phone": "+7 900 000-77-19",
    "external_ids": [{"source": "snils", "id": "11223344595"}],
}
SECRETS = (MARK, "Зоя", "Метковна", "2011-07-19", "metka", "77-19", "11223344595", "Опекун")


def school(pupils: int, **more: str) -> Roster:
    """A school of so many pupils: p1, p2 and so on."""
    roster = Roster(["orgs"])
    roster.set("users", [], "bulk")
    roster.set("roles", [], "bulk")
    for outside in (f"p{number}" for number in range(1, pupils + 1)):
        names = {"username": outside, "givenName": "Анна", "familyName": "Иванова"}
        user = {"enabledUser": "true", **names, **more}
        roster.add("users", **{**user, "sourcedId": outside})
        role = {"roleType": "primary", "role": "student", "orgSourcedId": "s1"}
        roster.add("roles", sourcedId=f"r-{outside}", userSourcedId=outside, **role)
    return roster


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


@pytest.fixture
async def person(client: httpx.AsyncClient, make: Made) -> dict[str, Any]:
    """A pupil with all that can be kept, a consent, and an answer kept for repeats."""
    place = (await make.school())["id"]
    body = {"memberships": [{"organization_id": place, "kind": "student"}], **PERSON}
    key = {"idempotency-key": "made once"}
    made = await client.post("/participants", json=body, headers=key)
    assert made.status_code == 201
    await consent(make, made.json()["id"], "mentoring")
    found: dict[str, Any] = (await client.get(f"/participants/{made.json()['id']}")).json()
    return found


async def consent(make: Made, ident: str, purpose: str) -> dict[str, Any]:
    return await make(
        "consents",
        participant_id=ident,
        purpose=purpose,
        version="1",
        signed_on=TODAY,
        signed_by="legal_representative",
        representative_name="Опекун Метковна",
    )


async def erase(client: httpx.AsyncClient, ident: str) -> dict[str, Any]:
    body = {"basis": "subject_request"}
    answer = await client.post(f"/participants/{ident}:erase", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def everything(connection: asyncpg.Connection) -> str:
    """All rows of all tables, as text."""
    names = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    rows = [
        str(row[0])
        for name in names
        for row in await connection.fetch(f'select t::text from "{name[0]}" t')
    ]
    # bytes are told in hexadecimal
    stored = await connection.fetch("select convert_from(body, 'UTF8') from idempotency")
    return "\n".join([*rows, *(row[0] for row in stored)])


async def test_erasing_leaves_the_facts_and_nothing_of_the_person(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    events: Events,
    person: dict[str, Any],
) -> None:
    before = (await events())[-1].value
    assert before is not None
    held = await everything(connection)
    assert all(secret in held for secret in SECRETS)
    act = await erase(client, person["id"])
    assert (act["kind"], act["basis"]) == ("erased", "subject_request")
    assert act["number"] == f"{clock.now().year}-00001"
    assert {"name", "contacts", "outside_ids", "consents"} <= set(act["categories"])
    left = await everything(connection)
    assert not [secret for secret in SECRETS if secret in left]

    (event,) = await events()
    facts = ("birth_year", "teaching_since_year", "memberships", "trainings")
    assert event.value is not None
    assert {name: event.value[name] for name in facts} == {name: before[name] for name in facts}
    assert (event.value["consents"], event.value["withdrawn"]) == ([], ["mentoring"])
    shown = (await client.get(f"/participants/{person['id']}")).json()
    assert shown["family_name"] is shown["birth_date"] is shown["email"] is None
    assert (shown["external_ids"], shown["memberships"]) == ([], person["memberships"])

    assert await erase(client, person["id"]) == act
    assert await events() == []
    assert len((await client.get("/destruction-acts")).json()["items"]) == 1


async def test_nothing_brings_the_erased_back(
    client: httpx.AsyncClient, make: Made, person: dict[str, Any]
) -> None:
    await erase(client, person["id"])
    place = f"/participants/{person['id']}"
    body = {"memberships": person["memberships"], **PERSON}
    again = await client.post("/participants", json=body)
    assert code(again) == (409, "external_id.erased")
    key = {"idempotency-key": "made once"}
    repeat = await client.post("/participants", json=body, headers=key)
    assert code(repeat) in ((410, "participant.data_destroyed"), (409, "idempotency.key_reused"))
    for change in ({"family_name": MARK}, {"phone": "1"}, {"external_ids": PERSON["external_ids"]}):
        assert code(await client.patch(place, json=change)) == (409, "participant.erased")
    ended = [{**person["memberships"][0], "until": TODAY}]
    assert (await client.patch(place, json={"memberships": ended})).status_code == 200
    anew = {"participant_id": person["id"], "purpose": "mentoring", "version": "1"}
    signed = {"signed_on": TODAY, "signed_by": "self"}
    refused = await client.post("/consents", json={**anew, **signed})
    assert code(refused) == (409, "participant.erased")


async def test_an_import_does_not_bring_the_erased_back(
    client: httpx.AsyncClient, run_import: Import, connection: asyncpg.Connection
) -> None:
    roster = school(3)
    first = await run_import(roster)
    assert first["changes"]["participants"]["added"] == 3
    gone = await resolve(client, "participant", "p1")
    await erase(client, gone["id"])
    again = await run_import(roster)
    assert again["status"] == "completed", again
    found = again["changes"]["participants"]
    assert (found["added"], found["vanished"]) == (0, 0)
    people = "select count(*) from participant where family_name is not null"
    assert await connection.fetchval(people) == 2
    asked = {"source": "sgo", "kind": "participant", "ids": ["p1", "p2"]}
    resolved = (await client.post("/external-ids:resolve", json=asked)).json()
    assert (len(resolved["found"]), resolved["unknown"]) == (1, ["p1"])


async def test_a_withdrawn_consent_ends_the_processing_at_once(
    client: httpx.AsyncClient,
    make: Made,
    events: Events,
    connection: asyncpg.Connection,
    person: dict[str, Any],
) -> None:
    given = await consent(make, person["id"], "contacts")
    await events()
    withdrawn = await client.post(f"/consents/{given['id']}:withdraw", json={"on": TODAY})
    assert withdrawn.status_code == 200
    (event,) = await events()
    assert event.value is not None
    assert (event.value["consents"], event.value["withdrawn"]) == (["mentoring"], ["contacts"])
    shown = (await client.get(f"/participants/{person['id']}")).json()
    assert (shown["email"], shown["phone"], shown["family_name"]) == (None, None, MARK)
    left = await everything(connection)
    assert "metka" not in left
    assert "77-19" not in left
    refused = await client.patch(f"/participants/{person['id']}", json={"phone": "1"})
    assert code(refused) == (409, "participant.contacts_withdrawn")
    (act,) = (await client.get("/destruction-acts")).json()["items"]
    assert (act["kind"], act["categories"]) == ("contacts_destroyed", ["contacts"])
    await consent(make, person["id"], "contacts")
    taken = await client.patch(f"/participants/{person['id']}", json={"phone": "1"})
    assert taken.status_code == 200


async def test_imports_bring_no_contacts_after_a_withdrawal(
    client: httpx.AsyncClient, make: Made, run_import: Import, connection: asyncpg.Connection
) -> None:
    await run_import(school(1, email="old@example.org"))
    pupil = await resolve(client, "participant", "p1")
    assert pupil["email"] == "old@example.org"
    given = await consent(make, pupil["id"], "contacts")
    await client.post(f"/consents/{given['id']}:withdraw", json={"on": TODAY})
    done = await run_import(school(1, email="new@example.org", givenName="Новая"))
    assert done["changes"]["participants"]["changed"] == 1
    pupil = await resolve(client, "participant", "p1")
    assert (pupil["email"], pupil["given_name"]) == (None, "Новая")
    assert "example.org" not in await everything(connection)


async def test_a_subject_is_told_all_that_is_held(
    client: httpx.AsyncClient, person: dict[str, Any]
) -> None:
    headers = tokens.headers(Role.AUDITOR)
    place = f"/participants/{person['id']}/personal-data"
    assert code(await client.get(place, headers=headers)) == (403, "role_missing")
    told = (await client.get(place)).json()
    assert told["participant"] == person
    assert [c["representative_name"] for c in told["consents"]] == ["Опекун Метковна"]
    actions = [(e["action"], e["route"], e["categories"]) for e in told["trace"]]
    record = ["name", "birth_date", "contacts", "work", "memberships", "trainings", "outside_ids"]
    given = ["name", "birth_date", "contacts", "memberships", "outside_ids"]
    assert actions == [
        ("read", "GET /participants/{ident}", record),
        ("consent_recorded", "POST /consents", ["consents"]),
        ("registered", "POST /participants", given),
    ]
    assert all(e["actor"] for e in told["trace"])
    again = (await client.get(place)).json()
    assert again["trace"][0]["route"] == "GET /participants/{ident}/personal-data"


async def test_a_page_of_people_is_one_entry(
    client: httpx.AsyncClient, make: Made, person: dict[str, Any]
) -> None:
    other = await make.pupil(person["memberships"][0]["organization_id"])
    await client.get("/participants", params={"limit": 50})
    await client.get(f"/participants/{uuid4()}")
    entry = (await client.get("/personal-trace")).json()["items"][0]
    assert entry["route"] == "GET /participants"
    assert set(entry["participant_ids"]) == {person["id"], other["id"]}


async def test_a_deletion_leaves_an_act_to_print(
    client: httpx.AsyncClient, connection: asyncpg.Connection, person: dict[str, Any]
) -> None:
    assert (await client.delete(f"/participants/{person['id']}")).status_code == 200
    (listed,) = (await client.get("/destruction-acts")).json()["items"]
    assert (listed["kind"], listed["basis"]) == ("deleted", "recorded_by_mistake")
    act = (await client.get(f"/destruction-acts/{listed['id']}")).json()
    assert [(e["action"], e["route"]) for e in act["log"]] == [
        ("deleted", "DELETE /participants/{ident}")
    ]
    page = await client.get(f"/destruction-acts/{listed['id']}/page")
    assert page.headers["content-type"].startswith("text/html")
    for text in (f"Акт № {listed['number']}", person["id"], "фамилия, имя, отчество", "ошибочно"):
        assert text in page.text
    left = await everything(connection)
    assert not [s for s in SECRETS if s in left or s in page.text]


async def verify(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await client.post("/personal-trace:verify", json=body)).json()
    return found


async def bypassing(connection: asyncpg.Connection, statement: str) -> None:
    """As somebody does who owns the database."""
    await connection.execute(
        f"set session_replication_role = replica; {statement}; reset session_replication_role"
    )


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("update personal_trace set actor = 'nobody' where id = {middle}", "entry_changed"),
        ("update personal_trace set subjects = '{{}}' where id = {middle}", "entry_changed"),
        ("delete from personal_trace where id = {middle}", "entry_removed"),
        ("delete from personal_trace_link where entry_id = {middle}", "link_removed"),
        (
            "delete from personal_trace where id = {last};"
            "delete from personal_trace_link where entry_id = {last}",
            "head_differs",
        ),
        (
            "insert into personal_trace (at, action, route) values (now(), 'read', 'forged')",
            "entry_not_chained",
        ),
    ],
)
async def test_a_trace_that_was_tampered_with_shows(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    person: dict[str, Any],
    statement: str,
    fault: str,
) -> None:
    good = await verify(client)
    assert (good["intact"], good["faults"], good["entries"]) == (True, [], 3)
    assert good["head"]["seq"] == 3
    ids = [row[0] for row in await connection.fetch("select id from personal_trace order by id")]
    await bypassing(connection, statement.format(middle=ids[1], last=ids[2]))
    bad = await verify(client, known_head=good["head"])
    assert not bad["intact"]
    assert fault in {each["what"] for each in bad["faults"]}


async def test_acts_anchor_the_trace(
    client: httpx.AsyncClient, connection: asyncpg.Connection, person: dict[str, Any]
) -> None:
    await verify(client)
    await erase(client, person["id"])
    assert (await verify(client))["intact"]
    await bypassing(connection, "delete from personal_trace; delete from personal_trace_link")
    assert {f["what"] for f in (await verify(client))["faults"]} == {"head_differs"}


@pytest.mark.parametrize("table", ["personal_trace", "personal_trace_link", "destruction_act"])
async def test_the_database_refuses_to_change_what_is_kept(
    client: httpx.AsyncClient, connection: asyncpg.Connection, person: dict[str, Any], table: str
) -> None:
    await erase(client, person["id"])
    await verify(client)
    column = "kind" if table == "destruction_act" else "entry_id"
    column = "action" if table == "personal_trace" else column
    for statement in (
        f"update {table} set {column} = {column}",
        f"delete from {table}",
        f"truncate {table}",
    ):
        with pytest.raises(asyncpg.RaiseError, match="never changed"):
            await connection.execute(statement)
