"""users.csv, roles.csv, demographics.csv → participants.

The three files are staged by COPY and joined in the database, which keeps memory bounded. People
come back in chunks; only those whose content is not what was last imported are looked at further.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db
from nastavnik_common.events.registry import Membership
from nastavnik_common.outbox import Outbox
from nastavnik_registry import domain
from nastavnik_registry.imports import mapping, peoplestore
from nastavnik_registry.imports.notes import Notes
from nastavnik_registry.imports.package import Package
from nastavnik_registry.imports.peoplestore import Found
from nastavnik_registry.imports.units import Known

USERS, ROLES, DEMOGRAPHICS = "users.csv", "roles.csv", "demographics.csv"
FILES = (USERS, ROLES, DEMOGRAPHICS)
GONE = "tobedeleted"
CHUNK = 4000
Tick = Callable[[int], None]

_STAGES = (
    "create temporary table s_user (outside text, line int, family_name text, given_name text,"
    " middle_name text, email text, phone text, teaching_since date, home uuid,"
    " gone boolean) on commit drop",
    "create temporary table s_role (outside text, seq int, organization_id uuid, kind text,"
    " first boolean, since date, until date, gone boolean) on commit drop",
    "create temporary table s_demographics (outside text, birth_date date) on commit drop",
)
_JOINED = """
    select u.*, d.birth_date, r.organizations, r.kinds, r.firsts, r.sinces, r.untils,
           e.entity_id, e.content_hash
    from s_user u
    left join s_demographics d using (outside)
    left join (
        select outside, array_agg(organization_id order by seq) as organizations,
               array_agg(kind order by seq) as kinds, array_agg(first order by seq) as firsts,
               array_agg(since order by seq) as sinces, array_agg(until order by seq) as untils
        from s_role group by outside
    ) r using (outside)
    left join external_id e
           on e.source = $1 and e.kind = 'participant' and e.external_id = u.outside
"""
_VANISHED = """
    select count(*) from external_id e where e.source = $1 and e.kind = 'participant'
    and not exists (select from s_user u where u.outside = e.external_id)
"""


class Present(NamedTuple):
    """Which files the package has: of what is absent nothing is known, so it stays."""

    roles: bool
    demographics: bool


async def stage(
    tx: AsyncSession, package: Package, units: dict[str, Known], today: date, notes: Notes
) -> Present:
    """Copy the files into temporary tables; what cannot be applied goes into `notes`."""
    raw = await db.driver(tx)
    await raw.execute("set local work_mem = '128MB'")
    for statement in _STAGES:
        await raw.execute(statement)
    present = Present(ROLES in package.names, DEMOGRAPHICS in package.names)
    if USERS in package.names:
        await raw.copy_records_to_table("s_user", records=_users(package, units, today, notes))
    if present.roles:
        await raw.copy_records_to_table("s_role", records=_roles(package, units, notes))
    if present.demographics:
        records = _demographics(package, today, notes)
        await raw.copy_records_to_table("s_demographics", records=records)
    # statistics that do not know a new source make the planner join it row by row
    for table in ("s_user", "s_role", "s_demographics", "external_id"):
        await raw.execute(f"analyze {table}")
    return present


def _users(
    package: Package, units: dict[str, Known], today: date, notes: Notes
) -> Iterator[tuple[Any, ...]]:
    for line, row in package.rows(USERS):
        home = units.get(row["primaryOrgSourcedId"])
        yield (
            row["sourcedId"],
            line,
            notes.required(row, "familyName", USERS, line),
            notes.required(row, "givenName", USERS, line),
            notes.text(row, "middleName", USERS, line),
            notes.text(row, "email", USERS, line),
            notes.text(row, "phone", USERS, line) or notes.text(row, "sms", USERS, line),
            _teaching_since(row.get("metadata.teachingSince", "").strip(), line, today, notes),
            home.id if home else None,
            row["status"] == GONE,
        )


def _teaching_since(value: str, line: int, today: date, notes: Notes) -> date | None:
    if not value:
        return None
    try:
        day = date.fromisoformat(value) if len(value) == 10 else None
    except ValueError:
        day = None
    if day is None or not domain.is_birth_date(day, today):
        message = "expected a date YYYY-MM-DD that has come"
        notes.add("import.teaching_since", USERS, line, "metadata.teachingSince", message)
    return day


def _roles(package: Package, units: dict[str, Known], notes: Notes) -> Iterator[tuple[Any, ...]]:
    for line, row in package.rows(ROLES):
        unit = units.get(row["orgSourcedId"])
        if unit is None:
            message = "the unit is neither in the package nor known from this source"
            notes.add("import.unknown_org", ROLES, line, "orgSourcedId", message)
            continue
        since, until = _day(row["beginDate"]), _day(row["endDate"])
        if since and until and since > until:
            message = "expected a date not before beginDate"
            notes.add("import.interval_reversed", ROLES, line, "endDate", message)
        if since and until and since >= until:
            continue  # a role of no day
        kind = mapping.member_of(row["role"], unit.kind)
        first = row["roleType"] == "primary"
        gone = row["status"] == GONE
        yield row["userSourcedId"], line, unit.id, kind, first, since, until, gone


def _demographics(package: Package, today: date, notes: Notes) -> Iterator[tuple[Any, ...]]:
    for line, row in package.rows(DEMOGRAPHICS):
        birth = _day(row["birthDate"])
        if birth is not None and not domain.is_birth_date(birth, today):
            message = "expected a date from 1900 until today"
            notes.add("import.birth_date", DEMOGRAPHICS, line, "birthDate", message)
        if row["status"] != GONE:
            yield row["sourcedId"], birth


def _day(value: str) -> date | None:
    return date.fromisoformat(value) if value else None


async def apply(
    tx: AsyncSession, outbox: Outbox, source: str, present: Present, notes: Notes, tick: Tick
) -> tuple[int, int, int]:
    """Write what differs, in chunks. Returns how many are new, changed, unchanged."""
    raw = await db.driver(tx)
    cursor = await raw.cursor(_JOINED, source)
    added = changed = seen = 0
    while rows := await cursor.fetch(CHUNK):
        found = [one for row in rows if (one := _found(row, present, notes)) is not None]
        new = [one for one in found if one.known is None]
        marked = [one for one in found if one.known is not None]
        added += await peoplestore.insert(tx, outbox, source, new)
        changed += await peoplestore.update(tx, outbox, source, marked)
        seen += len(rows)
        tick(seen)
    return added, changed, seen - added - changed


async def vanished(tx: AsyncSession, source: str) -> int:
    raw = await db.driver(tx)
    await raw.execute("analyze external_id")
    return int(await raw.fetchval(_VANISHED, source))


def _found(row: Any, present: Present, notes: Notes) -> Found | None:
    """The person as the package has them; None when that is what was last imported."""
    memberships: tuple[Membership, ...] | None = None
    if present.roles:
        memberships = _memberships(row)
    birth: date | None = row["birth_date"]
    teaching: date | None = row["teaching_since"]
    if birth and teaching and teaching <= birth:
        message = "teaching began before the birth date"
        notes.add("import.teaching_since", USERS, row["line"], "metadata.teachingSince", message)
    person = tuple(row[name] for name in peoplestore.PERSONAL)
    mark = mapping.content_hash(person, memberships, present)
    if row["content_hash"] == mark:
        return None
    return Found(
        outside=row["outside"],
        id=row["entity_id"] or uuid4(),
        known=row["entity_id"],
        person=person,
        birth_known=present.demographics,
        memberships=memberships,
        hash=mark,
    )


def _memberships(row: Any) -> tuple[Membership, ...]:
    if row["organizations"] is None:
        return ()
    roles = mapping.Roles(
        row["organizations"], row["kinds"], row["firsts"], row["sinces"], row["untils"]
    )
    home: UUID | None = row["home"]
    return mapping.memberships(roles, home)
