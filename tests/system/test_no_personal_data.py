"""A small run with marked people: whatever leaves the registry is searched for the marks.

Every record of every topic, log lines, error bodies, metrics, figures, exports, feeds, and all rows
of the databases of the other services.
"""

import json
from collections.abc import AsyncIterator, Iterable
from functools import partial
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from nastavnik_common import db
from nastavnik_local.scenario_api import Api
from tests.registry.packages import Roster
from tests.system.helpers import DAY, NAMES, YEAR, Json, System, World, until, until_figures

MARK = "Щукарьметка"
LATIN = "qmarkq"
SNILS = "11223344595"
PHONE = "9005553535"
SECRETS = (MARK, MARK.upper(), MARK.lower(), LATIN, SNILS, "112-233-445", PHONE, "2009-08-07")
FORMS = [
    *SECRETS,
    json.dumps(MARK).strip('"'),  # as JSON may have it
    MARK.encode().hex(),
    LATIN.encode().hex(),
    str(MARK.encode())[2:-1],
]


def found(text: str | bytes, where: str) -> list[str]:
    """Where a mark is, as it is or escaped."""
    plain = text if isinstance(text, str) else text.decode(errors="backslashreplace")
    return [f"{where}: {form}" for form in FORMS if form in plain]


def person(ident: str, school: str) -> Json:
    return {
        "id": ident,
        "family_name": MARK,
        "given_name": f"{MARK}-имя",
        "middle_name": f"{MARK}ович",
        "birth_date": "2009-08-07",
        "email": f"{LATIN}@{LATIN}.example",
        "phone": PHONE,
        "memberships": [{"organization_id": school, "kind": "student"}],
        "external_ids": [{"source": "eljur", "id": f"{LATIN}-{ident[:8]}"}],
    }


class Marked(World):
    """Everybody in it bears the mark."""

    async def person(self) -> str:
        ident = str(uuid4())
        body = person(ident, self.school)
        if not self.people:
            body["external_ids"].append({"source": "snils", "id": SNILS})
        await self.api.send("registry", "POST", "/participants", body)
        self.people.append(ident)
        consent = {
            "participant_id": ident,
            "purpose": "mentoring",
            "version": f"{LATIN}-1",
            "signed_on": str(DAY),
            "signed_by": "legal_representative",
            "representative_name": f"{MARK} старшая",
        }
        await self.api.send("registry", "POST", "/consents", consent)
        return ident


@pytest.fixture
async def world(api: Api) -> AsyncIterator[Marked]:
    made = Marked(api)
    await made.build(pupils=6, pairs=3)
    await made.log(3)
    await _roster(api)
    yield made
    for ident in made.people:  # СНИЛС must be free for the next one
        await api.client("registry").delete(f"/participants/{ident}")


async def _roster(api: Api) -> None:
    """A package with marked people, one good, one bad."""
    source = f"s-{uuid4().hex[:8]}"
    for line in (2, 3):
        roster = Roster(["orgs", "users", "roles", "demographics"])
        for row in range(2, 5):
            roster.edit("users", row, "familyName", MARK)
            roster.edit("users", row, "email", f"{LATIN}@{LATIN}.example")
        roster.edit("users", line, "phone", PHONE)
        if line == 3:
            roster.edit("users", line, "enabledUser", MARK)
        headers = {"content-type": "application/zip"}
        client = api.client("registry")
        sent = await client.post(
            "/imports", params={"source": source}, content=roster.pack().getvalue(), headers=headers
        )
        assert sent.status_code == 202, sent.text
        place = sent.headers["location"]

        assert await until(partial(_ended, api, place)) == (
            "completed" if line == 2 else "rejected"
        )


async def _ended(api: Api, place: str) -> str:
    status: str = (await api.get("registry", place)).body["status"]
    return status if status in ("completed", "rejected", "failed") else ""


async def records(running: System) -> AsyncIterator[tuple[str, bytes]]:
    """Keys, values and headers of all that is on the broker."""
    async with AIOKafkaConsumer(bootstrap_servers=running.bootstrap) as consumer:
        topics = [t for t in await consumer.topics() if t.startswith("nastavnik.")]
    async with AIOKafkaConsumer(
        *topics, bootstrap_servers=running.bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        parts = consumer.assignment()
        ends = await consumer.end_offsets(parts)
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for part, batch in (await consumer.getmany(timeout_ms=200)).items():
                for record in batch:
                    headers = b"".join(k.encode() + v for k, v in record.headers)
                    whole = (record.key or b"") + b"\n" + (record.value or b"") + headers
                    yield part.topic, whole


async def rows(url: str) -> AsyncIterator[tuple[str, str]]:
    """All rows of all tables as text."""
    connection: asyncpg.Connection = await db.connect(url)
    names = await connection.fetch(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables"
        " where schemaname not in ('pg_catalog', 'information_schema')"
    )
    for (name,) in map(tuple, names):
        for row in await connection.fetch(f"select t::text from {name} t"):
            yield name, row[0]
    await connection.close()


def hostile(world: Marked) -> Iterable[tuple[str, str, str, Any]]:
    """Requests that are refused, with marks wherever they may stand."""
    ident = world.people[0]
    good = person(str(uuid4()), world.school)
    broken = f'{{"family_name": "{MARK}", '.encode()
    pair = {"mentor": MARK, "id": LATIN}
    for body in (
        {**good, "birth_date": MARK},
        {**good, MARK: MARK},
        {**good, "family_name": [MARK]},
        {**good, "birth_date": "2999-08-07"},
        {**good, "memberships": [{"organization_id": LATIN, "kind": MARK}]},
        {**good, "external_ids": [{"source": "snils", "id": SNILS}]},
        {**good, "id": ident, "email": f"other-{LATIN}@example.org"},
        broken,
        MARK.encode("cp1251"),
        [MARK],
    ):
        yield "registry", "POST", "/participants", body
    yield "registry", "PATCH", f"/participants/{ident}", {"family_name": {MARK: 1}}
    yield "registry", "POST", "/consents", {"participant_id": ident, "purpose": MARK}
    yield "registry", "POST", f"/participants/{ident}:erase", {"basis": MARK}
    yield "registry", "POST", "/external-ids:resolve", {"source": MARK, "ids": LATIN}
    yield "registry", "POST", "/programmes", {"curator_id": MARK}
    yield "registry", "GET", f"/participants/{LATIN}", None
    yield "registry", "GET", f"/participants?kind={LATIN}&cursor={LATIN}", None
    yield "registry", "GET", f"/{LATIN}/{PHONE}", None
    for path in ("/mentorships", "/sessions", "/surveys", "/assessments", "/contributions"):
        yield "activity", "POST", path, pair
        yield "activity", "POST", path, broken
        yield "activity", "GET", f"{path}/{LATIN}", None
    for path in ("/mentorships:batch", "/sessions:batch"):
        yield "activity", "POST", path, json.dumps(pair).encode() + b"\n" + broken
    yield "activity", "GET", f"/mentorships?form={LATIN}&participant_id={PHONE}", None
    yield "metrics", "GET", f"/indicators/{LATIN}/values?unit={world.school}", None
    yield "metrics", "GET", f"/units/{LATIN}/card?form={LATIN}", None
    yield "metrics", "POST", "/reports", {"unit_id": MARK, "school_year": LATIN}


async def refusals(api: Api, world: Marked) -> list[str]:
    seen = []
    for service, method, path, body in hostile(world):
        headers = {"content-type": "application/json"}
        if ":batch" in path:
            headers = {"content-type": "application/x-ndjson"}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        answer = await api.client(service).request(method, path, content=content, headers=headers)
        wrong = "error" in answer.text if ":batch" in path else answer.status_code >= 400
        assert wrong, f"{method} {path}: {answer.status_code}"
        # a problem names the path that was asked for: whoever asks has it
        said = answer.text.replace(path.partition("?")[0], "")
        seen += found(said, f"answer to {method} {service} {path.partition('?')[0]}")
    return seen


async def reads(api: Api, world: Marked) -> AsyncIterator[tuple[str, str]]:
    """What the other services tell, and what any of them tells without a token."""
    unit = {"unit": world.school, "school_year": YEAR}
    metrics, activity = api.client("metrics"), api.client("activity")
    for path, query in (
        ("/indicators/coverage.students/values", {**unit, "form": "*"}),
        ("/indicators/coverage.students/series", unit),
        ("/indicators/coverage.students/history", unit),
        ("/indicators/coverage.students/contributors", unit),
        (f"/units/{world.region}/card", {"form": "*"}),
        ("/exports/values.csv", {**unit, "children": "true"}),
    ):
        answer = await metrics.get(path, params=query)
        assert answer.status_code == 200, answer.text
        yield path, answer.text
    for path in ("/mentorships", "/sessions", "/surveys", "/changes"):
        yield path, (await activity.get(path, params={"limit": 200})).text
    for name in NAMES:
        async with httpx.AsyncClient(base_url=str(api.client(name).base_url)) as stranger:
            for path in ("/metrics", "/readyz", "/openapi.json"):
                yield f"{name} {path}", (await stranger.get(path)).text
    async for path, text in _feed(api.client("registry")):
        yield path, text


async def _feed(registry: httpx.AsyncClient) -> AsyncIterator[tuple[str, str]]:
    cursor: dict[str, str] = {}
    while True:
        page = (await registry.get("/changes", params={"limit": 1000, **cursor})).json()
        yield "registry /changes", json.dumps(page, ensure_ascii=False)
        if not page["more"]:
            return
        cursor = {"cursor": page["next_cursor"]}


async def test_no_mark_of_a_person_leaves_the_registry(
    running: System, api: Api, world: Marked
) -> None:
    await until_figures(api, [world.school], (5, 6))
    seen = await refusals(api, world)
    erased = world.people[5]
    answer = await api.client("registry").post(
        f"/participants/{erased}:erase", json={"basis": "subject_request"}
    )
    assert answer.status_code == 200
    seen += found(answer.text, "the act")

    told = 0
    async for topic, record in records(running):
        told += 1
        seen += found(record, topic)
    assert told > 30
    async for path, text in reads(api, world):
        seen += found(text, path)
    for name in NAMES:
        lines = running.log(name)
        assert lines
        seen += found(json.dumps(lines, ensure_ascii=False), f"log of {name}")
    for name in ("activity", "metrics"):
        held = 0
        async for table, row in rows(running.servers.postgres.dsn(name)):
            held += 1
            seen += found(row, f"{name} {table}")
        assert held > 20
    assert sorted(set(seen)) == []

    # the search does find: in the registry they are
    async for _, row in rows(running.servers.postgres.dsn("registry")):
        seen += found(row, "registry")
    assert {mark for mark in (MARK, LATIN, SNILS, PHONE) if any(mark in s for s in seen)} == {
        MARK,
        LATIN,
        SNILS,
        PHONE,
    }


async def test_an_erasure_leaves_every_figure_as_it_is(api: Api, world: Marked) -> None:
    units = [world.school, world.region]
    await until_figures(api, units, (5, 6))
    registry, metrics = api.client("registry"), api.client("metrics")

    async def card() -> Any:
        asked = {"form": "*", "school_year": YEAR}
        values = (await metrics.get(f"/units/{world.school}/card", params=asked)).json()["values"]
        return [{k: v for k, v in value.items() if k != "watermark"} for value in values]

    before = await card()
    for ident in world.people[:2]:
        place = f"/participants/{ident}"
        sent = await registry.post(f"{place}:erase", json={"basis": "subject_request"})
        assert sent.status_code == 200
    # what is sent afterwards is in the figures: so are the erasures
    await world.person()
    await until_figures(api, units, (5, 7))
    await registry.delete(f"/participants/{world.people.pop()}")
    await until_figures(api, units, (5, 6))
    assert await card() == before
    await registry.delete(f"/participants/{world.people.pop(0)}")
    await until_figures(api, units, (4, 5))

    listed = await api.get("activity", "/mentorships", consent_withdrawn="true")
    assert world.pairs[0][0] in {item["id"] for item in listed.body["items"]}
