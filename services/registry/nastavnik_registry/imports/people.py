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
from nastavnik_registry import domain
from nastavnik_registry.imports import mapping, peoplestore
from nastavnik_registry.imports.codes import Policy
from nastavnik_registry.imports.ledger import Place, Target
from nastavnik_registry.imports.notes import PERSON, Notes
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
    " gone boolean, hash bytea, known uuid) on commit drop",
    "create temporary table s_role (outside text, seq int, organization_id uuid, kind text,"
    " first boolean, since date, until date, gone boolean) on commit drop",
    "create temporary table s_demographics (outside text, line int, birth_date date)"
    " on commit drop",
)
_USER = (
    *("outside", "line", "family_name", "given_name", "middle_name", "email", "phone"),
    *("teaching_since", "home", "gone"),
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


class Present(NamedTuple):
    """Which files the package has: of what is absent nothing is known, so it stays."""

    roles: bool
    demographics: bool


class Staging(NamedTuple):
    """What the rows are read with."""

    package: Package
    policy: Policy
    units: dict[str, Known]
    today: date
    notes: Notes


async def prepare(raw: Any) -> None:
    """Make the staging tables, for this transaction."""
    await raw.execute("set local work_mem = '128MB'")
    for statement in _STAGES:
        await raw.execute(statement)


async def stage(tx: AsyncSession, staging: Staging) -> Present:
    """Copy the files into temporary tables; what cannot be applied goes into the notes."""
    package = staging.package
    raw = await db.driver(tx)
    await prepare(raw)
    present = Present(ROLES in package.names, DEMOGRAPHICS in package.names)
    if USERS in package.names:
        await raw.copy_records_to_table("s_user", records=_users(staging), columns=_USER)
    if present.roles:
        await raw.copy_records_to_table("s_role", records=_roles(staging))
    if present.demographics:
        records = _demographics(staging)
        await raw.copy_records_to_table("s_demographics", records=records)
    if left_out := staging.notes.left_out[PERSON]:
        for table in ("s_user", "s_role", "s_demographics"):
            await raw.execute(f"delete from {table} where outside = any($1)", list(left_out))  # noqa: S608
    # statistics that do not know a new source make the planner join it row by row
    for table in ("s_user", "s_role", "s_demographics", "external_id"):
        await raw.execute(f"analyze {table}")
    return present


def _users(staging: Staging) -> Iterator[tuple[Any, ...]]:
    notes, units = staging.notes, staging.units
    for line, row in staging.package.rows(USERS, notes.bad(USERS)):
        outside = row["sourcedId"]
        if notes.skip(USERS, line, outside):
            continue
        home = units.get(row["primaryOrgSourcedId"])
        place = (USERS, line, outside)
        yield (
            outside,
            line,
            notes.required(row, "familyName", *place),
            notes.required(row, "givenName", *place),
            notes.text(row, "middleName", *place),
            notes.text(row, "email", *place),
            notes.text(row, "phone", *place) or notes.text(row, "sms", *place),
            _teaching_since(row, line, staging),
            home.id if home else None,
            row["status"] == GONE,
        )


def _teaching_since(row: dict[str, str], line: int, staging: Staging) -> date | None:
    value = row.get("metadata.teachingSince", "").strip()
    if not value:
        return None
    try:
        day = date.fromisoformat(value) if len(value) == 10 else None
    except ValueError:
        day = None
    if day is None or not domain.is_birth_date(day, staging.today):
        message = "expected a date YYYY-MM-DD that has come"
        place = (USERS, line, "metadata.teachingSince")
        staging.notes.add("import.teaching_since", *place, message, row["sourcedId"])
    return day


def _roles(staging: Staging) -> Iterator[tuple[Any, ...]]:
    notes, units = staging.notes, staging.units
    for line, row in staging.package.rows(ROLES, notes.bad(ROLES)):
        outside = row.get("userSourcedId", "")
        if notes.skip(ROLES, line, outside):
            continue
        unit = units.get(row["orgSourcedId"])
        if unit is None:
            message = "the unit is neither in the package nor known from this source"
            notes.add("import.unknown_org", ROLES, line, "orgSourcedId", message, outside)
            continue
        since, until = _day(row["beginDate"]), _day(row["endDate"])
        if since and until and since > until:
            message = "expected a date not before beginDate"
            notes.add("import.interval_reversed", ROLES, line, "endDate", message, outside)
        if since and until and since >= until:
            continue  # a role of no day
        kind = staging.policy.member_of(row["role"], unit.kind)
        first = row["roleType"] == "primary"
        gone = row["status"] == GONE
        yield outside, line, unit.id, kind, first, since, until, gone


def _demographics(staging: Staging) -> Iterator[tuple[Any, ...]]:
    notes = staging.notes
    for line, row in staging.package.rows(DEMOGRAPHICS, notes.bad(DEMOGRAPHICS)):
        outside = row["sourcedId"]
        if notes.skip(DEMOGRAPHICS, line, outside):
            continue
        birth = _day(row["birthDate"])
        if birth is not None and not domain.is_birth_date(birth, staging.today):
            message = "expected a date from 1900 until today"
            notes.add("import.birth_date", DEMOGRAPHICS, line, "birthDate", message, outside)
        if row["status"] != GONE:
            yield outside, line, birth


def _day(value: str) -> date | None:
    return date.fromisoformat(value) if value else None


async def apply(target: Target, present: Present, notes: Notes, tick: Tick) -> tuple[int, int, int]:
    """Write what differs, in chunks. Returns how many are new, changed, unchanged."""
    raw = await db.driver(target.tx)
    cursor = await raw.cursor(_JOINED, target.source)
    added = changed = seen = 0
    noted = notes.total
    while rows := await cursor.fetch(CHUNK):
        found = [one for row in rows if (one := _found(row, present, notes)) is not None]
        new = [one for one in found if one.known is None]
        marked = [one for one in found if one.known is not None]
        added += await peoplestore.insert(target, new)
        changed += await peoplestore.update(target, marked)
        seen += len(rows)
        tick(seen)
    return added, changed, seen - added - changed - (notes.total - noted)


async def update(target: Target, present: Present, notes: Notes) -> int:
    """Bring those of `s_user` who are `known` up to date; returns how many differed."""
    raw = await db.driver(target.tx)
    rows = await raw.fetch(f"{_JOINED} where u.known is not null", target.source)
    changed = 0
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        found = [one for row in chunk if (one := _found(row, present, notes)) is not None]
        changed += await peoplestore.update(target, found)
    return changed


def _found(row: Any, present: Present, notes: Notes) -> Found | None:
    """The person as the package has them; None when that is what was last imported."""
    memberships: tuple[Membership, ...] | None = None
    if present.roles:
        memberships = _memberships(row)
    birth: date | None = row["birth_date"]
    teaching: date | None = row["teaching_since"]
    if birth and teaching and teaching <= birth:
        message = "teaching began before the birth date"
        place = (USERS, row["line"], "metadata.teachingSince")
        notes.add("import.teaching_since", *place, message, row["outside"])
        return None
    person = tuple(row[name] for name in peoplestore.PERSONAL)
    mark = row["hash"] or mapping.content_hash(person, memberships, present)
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
        was=row["content_hash"],
        place=Place(row["outside"], USERS, row["line"]),
    )


def _memberships(row: Any) -> tuple[Membership, ...]:
    if row["organizations"] is None:
        return ()
    roles = mapping.Roles(
        row["organizations"], row["kinds"], row["firsts"], row["sinces"], row["untils"]
    )
    home: UUID | None = row["home"]
    return mapping.memberships(roles, home)
