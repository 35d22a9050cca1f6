"""SQL of the collections: rows of a page, their number, and what belongs to them."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_registry.aggregates import people, refs, trace
from nastavnik_registry.domain import privacy
from nastavnik_registry.oneroster import fields, shapes
from nastavnik_registry.oneroster.fields import Fields
from nastavnik_registry.oneroster.shapes import Body, Kin
from nastavnik_registry.tables import OrgUnit, Person, PersonMembership, UnitPlacement

STUDENTS = ("student", "vocational_student", "university_student")
TEACHERS = ("teacher",)


class Collection(NamedTuple):
    """`plural` and `single` name the envelopes. `model` None: the registry holds none of these."""

    plural: str
    single: str
    model: Any = None
    fields: Fields | None = None


ORGS = Collection("orgs", "org", OrgUnit, fields.orgs())
USERS = Collection("users", "user", Person, fields.users())
DEMOGRAPHICS = Collection("demographics", "demographics", Person, fields.demographics())
ACADEMIC_SESSIONS = Collection("academicSessions", "academicSession")
CLASSES = Collection("classes", "class")
COURSES = Collection("courses", "course")
ENROLLMENTS = Collection("enrollments", "enrollment")


_TOLD: dict[str, Sequence[str]] = {
    "users": [c for c in privacy.RECORD if c not in ("birth_date", "trainings")],
    "demographics": ["birth_date"],
}


def schools() -> Select[Any]:
    return select(OrgUnit).where(col(OrgUnit.kind) == "general")


def with_birth_date() -> Select[Any]:
    """And those of whom nothing is left: whoever took them in is to forget them."""
    return select(Person).where(or_(col(Person.birth_date).is_not(None), fields.GONE))


def members(kinds: Sequence[str], school: UUID | None = None) -> Select[Any]:
    """People with a membership of one of the kinds, there, that has not ended."""
    until = col(PersonMembership.until)
    where = [
        col(PersonMembership.participant_id) == Person.id,
        col(PersonMembership.kind).in_(kinds),
        or_(until.is_(None), until > clock.now().date()),
    ]
    if school is not None:
        where.append(col(PersonMembership.organization_id) == school)
    return select(Person).where(exists().where(*where))


async def count(tx: AsyncSession, query: Select[Any]) -> int:
    counted = select(func.count()).select_from(query.order_by(None).subquery())
    return int((await tx.execute(counted)).scalar_one())


async def rows(tx: AsyncSession, query: Select[Any]) -> list[Any]:
    return list((await tx.execute(query)).scalars())


async def bodies(
    tx: AsyncSession, collection: Collection, found: Sequence[Any], base: str
) -> list[Body]:
    """The rows as the standard has them. `base` is the URL hrefs begin with."""
    if not found:
        return []
    if collection is ORGS:
        kin = await _kin(tx, [row.id for row in found])
        return [shapes.org(row, kin[row.id], base) for row in found]
    trace.seen((row.id for row in found), _TOLD[collection.plural])
    if collection is DEMOGRAPHICS:
        return [shapes.demographics(row) for row in found]
    ids = [row.id for row in found]
    memberships = await people.memberships_of(tx, ids)
    outside = await refs.refs_of(tx, "participant", ids)
    kinds = await _kinds(tx, {m.organization_id for ms in memberships.values() for m in ms})
    return [
        shapes.user(row, memberships.get(row.id, ()), outside.get(row.id, ()), kinds, base)
        for row in found
    ]


async def _kinds(tx: AsyncSession, ids: set[UUID]) -> dict[UUID, str | None]:
    query = select(col(OrgUnit.id), col(OrgUnit.kind)).where(col(OrgUnit.id).in_(ids))
    return {row.id: row.kind for row in await tx.execute(query)}


async def _kin(tx: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Kin]:
    unit, parent = col(UnitPlacement.unit_id), col(UnitPlacement.parent_id)
    query = (
        select(unit, parent)
        .where(or_(unit.in_(ids), parent.in_(ids)), fields.in_force(UnitPlacement))
        .order_by(unit)
    )
    parents: dict[UUID, UUID] = {}
    children: dict[UUID, list[UUID]] = {}
    for child, above in await tx.execute(query):
        parents[child] = above
        children.setdefault(above, []).append(child)
    return {one: Kin(parents.get(one), tuple(children.get(one, ()))) for one in ids}
