"""Contributions: recorded and corrected."""

from collections.abc import Container, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.commands import base, records, registry
from nastavnik_activity.domain import contributions as rules
from nastavnik_activity.domain.contributions import Changes, NewContribution
from nastavnik_activity.tables import CONTRIBUTIONS
from nastavnik_common.errors import DomainError
from nastavnik_common.events.activity import ContributionState
from nastavnik_common.outbox import Outbox

Result = base.Made[ContributionState] | DomainError


async def record_all(
    tx: AsyncSession, outbox: Outbox, asked: Sequence[NewContribution], now: datetime
) -> list[Result]:
    """A result for each, in order."""
    levels = await registry.levels(
        tx, {i for new in asked for i in (new.organization_id, new.partner_id) if i}
    )
    people = await registry.participants(tx, {new.partner_id for new in asked if new.partner_id})

    def judge(new: NewContribution, ident: UUID) -> ContributionState:
        registry.check_organization("contribution", new.organization_id, levels)
        state = rules.record(new, ident, now)
        _check_partner(state, levels, people)
        return state

    return await records.add_all(tx, outbox, asked, records.Intake(CONTRIBUTIONS, judge, _mark))


async def correct(
    tx: AsyncSession,
    outbox: Outbox,
    ident: UUID,
    changes: Changes,
    version: int | None,
    now: datetime,
) -> ContributionState:
    """A newly named partner must exist, the one that is there may be gone."""
    row, before = await records.lock(tx, CONTRIBUTIONS, ident, version)
    state = rules.correct(before, changes, now)
    partner = state.partner_kind, state.partner_id
    if state.partner_id and partner != (before.partner_kind, before.partner_id):
        wanted = {state.partner_id}
        levels = await registry.levels(tx, wanted)
        _check_partner(state, levels, await registry.participants(tx, wanted))
    return await records.amend(tx, outbox, CONTRIBUTIONS, row, state)


def _check_partner(
    state: ContributionState, levels: Container[UUID], people: Container[UUID]
) -> None:
    if state.partner_id is None:
        return
    if state.partner_kind == "organization":
        if state.partner_id not in levels:
            raise DomainError("organization.unknown", "The partner is not known here.")
    elif state.partner_id not in people:
        raise registry.unknown_participant()


def _mark(new: NewContribution) -> bytes:
    """Of all but the id; 12500.5 is 12500.50."""
    asked = msgspec.to_builtins(new)
    return base.digest({**asked, "id": None, "amount": rules.kopecks(new.amount, new.currency)})
