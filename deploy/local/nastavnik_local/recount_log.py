"""The latest state of every aggregate, read from the beginning of the topics.

A plain consumer without a group; the version in `ce_sequence` decides which record is newest, an
empty value is a tombstone. Nothing here comes from the services or their event models.
"""

import sys
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord


class Dated(msgspec.Struct, frozen=True):
    """A stretch [since, until) at an organisation, or under a parent."""

    since: date | None
    until: date | None
    organization: str = ""
    kind: str = ""
    primary: bool = False
    parent: str = ""


class Organization(msgspec.Struct, frozen=True):
    level: str
    kind: str | None
    name: str
    placements: tuple[Dated, ...]


class Person(msgspec.Struct, frozen=True):
    birth_year: int | None
    teaching_since_year: int | None
    memberships: tuple[Dated, ...]


class Mentorship(msgspec.Struct, frozen=True):
    form: str
    federal_form: str
    members: dict[str, str]  # person → role
    periods: tuple[tuple[date, date | None], ...]


class Session(msgspec.Struct, frozen=True):
    mentorship: str
    status: str
    day: date
    attended: tuple[str, ...]


class Log(msgspec.Struct):
    """What the topics say now, and how many records it took."""

    organizations: dict[str, Organization]
    persons: dict[str, Person]
    mentorships: dict[str, Mentorship]
    sessions: dict[str, Session]
    records: int = 0


async def read(bootstrap: str, heard: Callable[[int], None] = lambda _: None) -> Log:
    """All records up to the present end of the topics; `heard` gets the number read so far."""
    log = Log({}, {}, {}, {})
    versions: dict[str, dict[str, int]] = {topic: {} for topic in _TOPICS}
    async with AIOKafkaConsumer(
        *_TOPICS, bootstrap_servers=bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=50
    ) as consumer:
        partitions = consumer.assignment()
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(part) < ends[part] for part in partitions]):
            for part, records in (await consumer.getmany(timeout_ms=500)).items():
                for record in records:
                    _keep(log, versions[part.topic], record)
                log.records += len(records)
            heard(log.records)
    return log


def _keep(log: Log, versions: dict[str, int], record: ConsumerRecord) -> None:
    ident = sys.intern(record.key.decode())
    version = int(dict(record.headers)["ce_sequence"])
    if version <= versions.get(ident, 0):
        return
    versions[ident] = version
    table, parse = _TOPICS[record.topic]
    states = getattr(log, table)
    if record.value is None:
        states.pop(ident, None)
    else:
        states[ident] = parse(msgspec.json.decode(record.value))


def _organization(state: dict[str, Any]) -> Organization:
    placements = [
        Dated(_day(p.get("since")), _day(p.get("until")), parent=p["parent_id"])
        for p in state.get("placements", ())
    ]
    return Organization(state["level"], state.get("kind"), state["name"], tuple(placements))


def _person(state: dict[str, Any]) -> Person:
    memberships = [
        Dated(
            _day(m.get("since")),
            _day(m.get("until")),
            sys.intern(m["organization_id"]),
            sys.intern(m["kind"]),
            m.get("primary", True),
        )
        for m in state.get("memberships", ())
    ]
    return Person(state.get("birth_year"), state.get("teaching_since_year"), tuple(memberships))


def _mentorship(state: dict[str, Any]) -> Mentorship:
    members = {sys.intern(m["participant_id"]): sys.intern(m["role"]) for m in state["members"]}
    periods = [
        (date.fromisoformat(p["since"]), _day(p.get("until"))) for p in state.get("periods", ())
    ]
    return Mentorship(state["form"], state["federal_form"], members, tuple(periods))


def _session(state: dict[str, Any]) -> Session:
    attended = [sys.intern(a["participant_id"]) for a in state["attendance"] if a["attended"]]
    return Session(
        sys.intern(state["mentorship_id"]),
        sys.intern(state["status"]),
        date.fromisoformat(state["date"]),
        tuple(attended),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


_TOPICS: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "nastavnik.organizations": ("organizations", _organization),
    "nastavnik.participants": ("persons", _person),
    "nastavnik.mentorships": ("mentorships", _mentorship),
    "nastavnik.sessions": ("sessions", _session),
}
