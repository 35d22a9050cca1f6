"""Gatherings: recorded and corrected."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.commands import base, records, registry
from nastavnik_activity.domain import gatherings as rules
from nastavnik_activity.domain.gatherings import Changes, NewGathering
from nastavnik_activity.tables import GATHERINGS
from nastavnik_common.errors import DomainError
from nastavnik_common.events.activity import GatheringState
from nastavnik_common.outbox import Outbox

Result = base.Made[GatheringState] | DomainError


async def record_all(
    tx: AsyncSession, outbox: Outbox, asked: Sequence[NewGathering], now: datetime
) -> list[Result]:
    """A result for each, in order."""
    levels = await registry.levels(tx, {new.organization_id for new in asked})

    def judge(new: NewGathering, ident: UUID) -> GatheringState:
        registry.check_organization("gathering", new.organization_id, levels)
        return rules.record(new, ident, now)

    return await records.add_all(tx, outbox, asked, records.Intake(GATHERINGS, judge, _mark))


async def correct(
    tx: AsyncSession,
    outbox: Outbox,
    ident: UUID,
    changes: Changes,
    version: int | None,
    now: datetime,
) -> GatheringState:
    row, before = await records.lock(tx, GATHERINGS, ident, version)
    state = rules.correct(before, changes, now)
    return await records.amend(tx, outbox, GATHERINGS, row, state)


def _mark(new: NewGathering) -> bytes:
    audience = tuple(sorted(set(new.audience)))
    return base.digest(msgspec.structs.replace(new, id=None, audience=audience))
