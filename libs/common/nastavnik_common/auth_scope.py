"""What of the org tree the request at hand may touch."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, any_, bindparam, true
from sqlalchemy.dialects.postgresql import ARRAY

from nastavnik_common.auth import Actor
from nastavnik_common.errors import DomainError


@dataclass(frozen=True)
class Reach:
    """`units` are all that the caller may touch, None for every one; `by` is who the caller is,
    None for the service itself."""

    units: frozenset[UUID] | None = None
    by: Actor | None = None

    def covers(self, unit: UUID) -> bool:
        return self.units is None or unit in self.units

    def demand(self, unit: UUID) -> None:
        """403 ``out_of_scope`` unless it may be touched."""
        if not self.covers(unit):
            raise out_of_scope()

    def wanted(self) -> list[UUID] | None:
        """The units as a parameter of a query: null stands for all."""
        return None if self.units is None else sorted(self.units)

    def within(self, column: Any) -> ColumnElement[bool]:
        """That a column of ids of units names one of these."""
        if self.units is None:
            return true()
        return column == any_(bindparam(None, sorted(self.units), type_=ARRAY(Uuid())))  # type: ignore[no-any-return]


_UNBOUND = Reach()
_reach: ContextVar[Reach] = ContextVar("nastavnik_reach", default=_UNBOUND)


def reach() -> Reach:
    """Of the request being answered; of what the service does on its own: everything."""
    return _reach.get()


def caller() -> str | None:
    """The opaque id of who makes the request being answered; None: the service on its own."""
    by = reach().by
    return None if by is None else by.ident


def bind(found: Reach) -> None:
    """For all that follows in this context."""
    _reach.set(found)


def out_of_scope() -> DomainError:
    detail = "What the request is about lies outside of what is granted to you."
    return DomainError("out_of_scope", detail, status=403)
