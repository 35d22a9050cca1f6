"""The collections' fields: which there are, and which can be filtered and sorted by."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Text, and_, case, cast, collate, func, literal, or_, select
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_registry.imports import mapping
from nastavnik_registry.oneroster.filters import Clause, Filter, Op, invalid
from nastavnik_registry.queries import containing
from nastavnik_registry.tables import OrgUnit, Person, PersonMembership, UnitPlacement

Expression = Any  # of SQL
Reader = Callable[[str], Any]  # text of a filter → value to compare with; ValueError


class Column(NamedTuple):
    """`read` is None for plain text, which alone can be searched with `~`."""

    expression: Expression
    read: Reader | None = None


class Fields(NamedTuple):
    names: frozenset[str]
    columns: Mapping[str, Column]


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def in_force(row: Any) -> Expression:
    today = clock.now().date()
    return and_(
        or_(col(row.since).is_(None), col(row.since) <= today),
        or_(col(row.until).is_(None), col(row.until) > today),
    )


def _common(model: Any, gone: Expression) -> dict[str, Column]:
    return {
        "sourcedId": Column(col(model.id), UUID),
        "status": Column(case((gone, "tobedeleted"), else_="active")),
        # as it is written, so that `=` finds what was read
        "dateLastModified": Column(func.date_trunc("milliseconds", model.changed_at), _moment),
    }


def parent_of(unit: Expression) -> Expression:
    """The id of the unit's parent today."""
    query = select(col(UnitPlacement.parent_id)).where(
        col(UnitPlacement.unit_id) == unit, in_force(UnitPlacement)
    )
    return query.limit(1).scalar_subquery()


def home_of(person: Expression) -> Expression:
    """The organisation of the person's latest primary membership."""
    since = col(PersonMembership.since)
    query = select(col(PersonMembership.organization_id)).where(
        col(PersonMembership.participant_id) == person, col(PersonMembership.primary)
    )
    return query.order_by(since.desc().nulls_last()).limit(1).scalar_subquery()


def _org_type() -> Expression:
    level, kind = col(OrgUnit.level), col(OrgUnit.kind)
    cases = [
        (and_(level == at, kind.is_(None) if of is None else kind == of), mapping.org_type(at, of))
        for at, of in mapping.UNITS
    ]
    return case(*cases)


GONE = col(Person.family_name).is_(None)
_BASE = frozenset({"sourcedId", "status", "dateLastModified", "metadata"})


def orgs() -> Fields:
    names = _BASE | {"name", "type", "identifier", "parent", "children"}
    columns = {
        **_common(OrgUnit, col(OrgUnit.deleted)),
        "name": Column(col(OrgUnit.name)),
        "type": Column(_org_type()),
        "identifier": Column(func.coalesce(OrgUnit.code, OrgUnit.inn, OrgUnit.oktmo, "")),
        "parent.sourcedId": Column(parent_of(col(OrgUnit.id)), UUID),
    }
    return Fields(names, columns)


_USER = (
    "userMasterIdentifier username userIds enabledUser givenName familyName middleName"
    " preferredFirstName preferredMiddleName preferredLastName pronouns roles userProfiles"
    " primaryOrg identifier email sms phone agents grades password resources"
)


def users() -> Fields:
    columns = {
        **_common(Person, GONE),
        "username": Column(cast(col(Person.id), Text)),
        "enabledUser": Column(case((GONE, "false"), else_="true")),
        "givenName": Column(func.coalesce(Person.given_name, "")),
        "familyName": Column(func.coalesce(Person.family_name, "")),
        "middleName": Column(col(Person.middle_name)),
        "email": Column(col(Person.email)),
        "phone": Column(col(Person.phone)),
        "primaryOrg.sourcedId": Column(home_of(col(Person.id)), UUID),
    }
    return Fields(_BASE | frozenset(_USER.split()), columns)


_DEMOGRAPHICS = (
    "birthDate sex americanIndianOrAlaskaNative asian blackOrAfricanAmerican"
    " nativeHawaiianOrOtherPacificIslander white demographicRaceTwoOrMoreRaces"
    " hispanicOrLatinoEthnicity countryOfBirthCode stateOfBirthAbbreviation cityOfBirth"
    " publicSchoolResidenceStatus"
)


def demographics() -> Fields:
    columns = {
        **_common(Person, GONE),
        "birthDate": Column(col(Person.birth_date), date.fromisoformat),
    }
    return Fields(_BASE | frozenset(_DEMOGRAPHICS.split()), columns)


def condition(fields: Fields, given: Filter) -> Expression:
    """Raises OneRosterError, 400 invalid_filter_field."""
    found = [_compared(fields, clause) for clause in given.clauses]
    return and_(*found) if given.joiner == "AND" else or_(*found)


def _compared(fields: Fields, clause: Clause) -> Expression:
    column = fields.columns.get(clause.field)
    if column is None:
        raise invalid("There is a field by which this collection cannot be filtered.")
    if clause.op == "~":
        if column.read is not None:
            raise invalid("Only text can be searched with ~.")
        return column.expression.ilike(containing(clause.value))
    if column.read is None:
        return _OPS[clause.op](collate(column.expression, "C"), literal(clause.value))
    try:
        value = column.read(clause.value)
    except ValueError:
        raise invalid("A value of the filter does not have the form of its field.") from None
    return _OPS[clause.op](column.expression, value)


_OPS: dict[Op, Callable[[Expression, Any], Expression]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a.is_distinct_from(b),
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
