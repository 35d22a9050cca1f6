"""What surveys and assessments are about, locked, and what is recorded of it already."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity.commands import locks, registry
from nastavnik_activity.domain.records import Ledger, Scope
from nastavnik_activity.tables import Sort
from nastavnik_common.auth_scope import reach
from nastavnik_common.errors import DomainError
from nastavnik_common.events.activity import AssessmentState, MentorshipState, SurveyState

S = TypeVar("S", SurveyState, AssessmentState)


class Scoped(Protocol):
    @property
    def mentorship_id(self) -> UUID | None: ...
    @property
    def organization_id(self) -> UUID | None: ...


@dataclass(frozen=True)
class Scopes:
    """Those of the requests of one transaction, as far as they exist."""

    kind: str
    mentorships: dict[UUID, tuple[MentorshipState, UUID]]
    levels: dict[UUID, str | None]

    def of(self, new: Scoped) -> Scope:
        if new.mentorship_id is not None and new.organization_id is None:
            if new.mentorship_id not in self.mentorships:
                raise DomainError("mentorship.unknown", "No such mentorship.")
            mentorship, organization_id = self.mentorships[new.mentorship_id]
            reach().demand(organization_id)
            return Scope(organization_id, mentorship)
        if new.organization_id is not None and new.mentorship_id is None:
            registry.check_organization(self.kind, new.organization_id, self.levels)
            return Scope(new.organization_id)
        raise DomainError(
            f"{self.kind}.mentorship_or_organization",
            "Name either the mentorship or the organisation it is about.",
        )


async def lock(tx: AsyncSession, kind: str, asked: Sequence[Scoped]) -> Scopes:
    """Until the transaction ends nobody else records anything about them."""
    return Scopes(
        kind,
        await locks.mentorships(tx, (n.mentorship_id for n in asked if n.mentorship_id)),
        await locks.organizations(tx, (n.organization_id for n in asked if n.organization_id)),
    )


async def relock(tx: AsyncSession, state: SurveyState | AssessmentState) -> None:
    """The scope of one that is stored. Its own row is to be locked after that."""
    if state.mentorship_id is not None:
        await locks.mentorship(tx, state.mentorship_id)
    else:
        await locks.organizations(tx, [state.organization_id])


async def ledger(
    tx: AsyncSession,
    sort: Sort[S],
    empty: Ledger,
    group: Callable[[S], Hashable],
    person: str,
    pairs: Iterable[tuple[UUID, UUID]],
    without: UUID | None = None,
) -> Ledger:
    """What is valid of the pairs of scope and person; `person` is the latter's column."""
    table: Any = sort.table
    scopes, people = zip(*set(pairs), strict=True) if pairs else ((), ())
    wanted = select(func.unnest(_uuids(scopes)), func.unnest(_uuids(people)))
    rows = await tx.execute(
        select(*(getattr(table, name) for name in sort.columns)).where(
            tuple_(col(table.scope_id), getattr(table, person)).in_(wanted),
            col(table.status) == "valid",
            col(table.deleted).is_(False),
        )
    )
    for state in map(sort.state, rows):
        if state.id != without:
            empty.put(group(state), state.stage, state.date)
    return empty


def _uuids(values: Sequence[UUID]) -> Any:
    return bindparam(None, list(values), type_=ARRAY(Uuid()))
