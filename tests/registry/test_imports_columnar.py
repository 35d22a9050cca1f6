"""The fast lane of imports and the one that goes row by row lead to the same records."""

import random
from typing import Any

import asyncpg
import msgspec

from nastavnik_common.events.registry import ParticipantState
from nastavnik_registry.imports import check
from nastavnik_registry.imports.columnar import Frames
from tests.registry.importing import Import, counts
from tests.registry.packages import Roster

_SCHOOLS = ("s1", "s2", "s3")
_SLOW = "\x1f"  # a character that keeps a file out of the fast lane, and is stripped like a space
_PEOPLE = """
    select e.external_id, p.version, family_name, given_name, middle_name, email, phone,
           birth_date, teaching_since
    from participant p join external_id e on e.entity_id = p.id where e.source = $1 order by 1
"""
_MEMBERSHIPS = """
    select e.external_id, o.external_id, m.kind, m."primary", m.since, m.until
    from membership m join external_id e on e.entity_id = m.participant_id
    join external_id o on o.entity_id = m.organization_id where e.source = $1
    order by 1, 2, 3, 4, 5, 6
"""
_TRACE = """
    select c.seq, c.outside, c.file, c.line, c.action, c.version from import_change c
    join import_job j on j.id = c.import_id where j.source = $1 and kind = 'participant'
    order by outside, version
"""
_VALUES = """
    select e.external_id, o.value from outbox o join external_id e on e.entity_id::text = o.key
    where e.source = $1 and e.kind = 'participant' order by o.id
"""


def _roster(seed: int, people: int = 60) -> Roster:
    """People with up to five roles, some of them equal, at home at one of the places or nowhere."""
    chance = random.Random(seed)
    roster = Roster(["orgs", "users", "roles", "demographics"])
    for table in roster.files:
        roster.set(table, [])
    roster.add("orgs", sourcedId="d1", name="Район", type="district")
    for school in _SCHOOLS:
        roster.add("orgs", sourcedId=school, name=school, type="school", parentSourcedId="d1")
    for n in range(people):
        _person(roster, f"p{n}", chance)
    return roster


def _person(roster: Roster, ident: str, chance: random.Random) -> None:
    user = {"sourcedId": ident, "enabledUser": "true", "username": ident, "givenName": " Анна "}
    user |= {"familyName": 'Петрова, "младшая"', "middleName": chance.choice(["", "Ивановна"])}
    user |= {"sms": chance.choice(["", "+7 900"]), "phone": chance.choice(["", "+7 901"])}
    user["primaryOrgSourcedId"] = chance.choice(["", *_SCHOOLS])
    roster.add("users", **user)
    if chance.random() < 0.8:
        birth = chance.choice(["", "2010-05-17"])
        roster.add("demographics", sourcedId=ident, birthDate=birth)
    primary: set[str] = set()
    for number in range(chance.randrange(6)):
        org = chance.choice(_SCHOOLS)
        kind = "secondary" if org in primary or chance.random() < 0.5 else "primary"
        primary |= {org} if kind == "primary" else set()
        role = {"sourcedId": f"{ident}.{number}", "userSourcedId": ident, "orgSourcedId": org}
        role |= {"roleType": kind, "role": chance.choice(["student", "teacher", "parent"])}
        role |= {"beginDate": chance.choice(["", "2025-09-01"])}
        role |= {"endDate": chance.choice(["", "2025-09-01", "2026-06-01"])}
        roster.add("roles", **role)


def _slow(roster: Roster) -> Roster:
    roster.edit("users", 2, "middleName", f"Ивановна{_SLOW}")
    return roster


async def _state(connection: asyncpg.Connection, source: str) -> dict[str, Any]:
    found = {}
    for name, query in (("people", _PEOPLE), ("memberships", _MEMBERSHIPS), ("trace", _TRACE)):
        found[name] = [tuple(row) for row in await connection.fetch(query, source)]
    return found


def _lanes(roster: Roster) -> set[str]:
    frames = Frames()
    assert check(roster.pack(), frames=frames).valid
    return set(frames.found)


def test_what_is_too_large_goes_row_by_row() -> None:
    frames = Frames(max_bytes=1000)
    assert check(_roster(1).pack(), frames=frames).valid
    assert not frames.found


async def test_both_lanes_make_the_same_of_a_package(
    run_import: Import, connection: asyncpg.Connection
) -> None:
    files = {"users.csv", "roles.csv", "demographics.csv"}
    assert _lanes(_roster(1)) == files
    assert "users.csv" not in _lanes(_slow(_roster(1)))
    even = _roster(1)
    even.edit("users", 2, "middleName", "Ивановна")
    for roster, source in ((even, "fast"), (_slow(_roster(1)), "slow")):
        found = await run_import(roster, source)
        assert found["changes"]["participants"] == counts(60, 0, 0, 0), found
    fast, slow = await _state(connection, "fast"), await _state(connection, "slow")
    assert fast == slow
    assert len(fast["memberships"]) > 60
    kinds = await _events(connection, "fast")
    assert kinds == await _events(connection, "slow")
    assert len(kinds) == 60


async def _events(connection: asyncpg.Connection, source: str) -> dict[str, Any]:
    """What was published of each person, in terms of outside ids. Every value is just what the
    contract's own encoder would write."""
    places = {
        row["entity_id"]: row["external_id"]
        for row in await connection.fetch(
            "select * from external_id where source = $1 and kind = 'organization'", source
        )
    }
    found = {}
    for outside, value in await connection.fetch(_VALUES, source):
        state = msgspec.json.decode(value, type=ParticipantState)
        assert msgspec.json.encode(state) == value
        memberships = [
            (places[m.organization_id], m.kind, m.primary, m.since, m.until)
            for m in state.memberships
        ]
        found[outside] = (state.version, state.birth_year, sorted(map(str, memberships)))
    return found


async def test_lanes_may_change_from_one_package_to_the_next(
    run_import: Import, connection: asyncpg.Connection
) -> None:
    """What one lane has stored, the other finds unchanged; what differs it brings up to date."""
    await run_import(_slow(_roster(2)), "sgo")
    even = _roster(2)
    even.edit("users", 2, "middleName", "Ивановна")
    for same in (even, _slow(_roster(2)), even):
        found = await run_import(same, "sgo")
        assert found["changes"]["participants"] == counts(0, 0, 60, 0)
    even.edit("users", 9, "familyName", "Новая")
    for table, owner in (("users", 0), ("demographics", 0), ("roles", 3)):
        even.files[table] = [row for row in even.files[table] if row[owner] != "p59"]
    found = await run_import(even, "sgo")
    assert found["changes"]["participants"] == counts(0, 1, 58, 1)
    name = "select family_name from participant p join external_id e on e.entity_id = p.id"
    assert await connection.fetchval(f"{name} where external_id = 'p7'") == "Новая"
