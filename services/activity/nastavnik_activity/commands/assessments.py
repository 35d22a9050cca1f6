"""Assessments: recorded and corrected."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.commands import base, records, registry, scopes
from nastavnik_activity.domain import assessments as rules
from nastavnik_activity.domain.assessments import Changes, NewAssessment
from nastavnik_activity.tables import ASSESSMENTS
from nastavnik_common.errors import DomainError
from nastavnik_common.events.activity import AssessmentState
from nastavnik_common.outbox import Outbox

Result = base.Made[AssessmentState] | DomainError


async def record_all(
    tx: AsyncSession, outbox: Outbox, asked: Sequence[NewAssessment], now: datetime
) -> list[Result]:
    """A result for each, in order; each is checked against those before it, too."""
    found = await scopes.lock(tx, "assessment", asked)
    people = await registry.participants(
        tx, {new.subject_id for new in asked if new.mentorship_id is None}
    )
    pairs = {
        (s, new.subject_id) for new in asked if (s := new.mentorship_id or new.organization_id)
    }
    ledger = await scopes.ledger(tx, ASSESSMENTS, rules.ledger(), rules.group, "subject_id", pairs)

    def judge(new: NewAssessment, ident: UUID) -> AssessmentState:
        scope = found.of(new)
        state = rules.record(new, ident, scope, now)
        person = scope.mentorship is None and new.subject_kind != "organization"
        if person and new.subject_id not in people:
            raise registry.unknown_participant()
        ledger.add(rules.group(state), state.stage, state.date)
        return state

    intake = records.Intake(ASSESSMENTS, judge, _mark)
    return await records.add_all(tx, outbox, asked, intake)


async def correct(
    tx: AsyncSession,
    outbox: Outbox,
    ident: UUID,
    changes: Changes,
    version: int | None,
    now: datetime,
) -> AssessmentState:
    await scopes.relock(tx, await records.peek(tx, ASSESSMENTS, ident))
    row, before = await records.lock(tx, ASSESSMENTS, ident, version)
    state = rules.correct(before, changes, now)
    if state.version == before.version:
        return state
    pair = rules.scope_id(state), state.subject_id
    ledger = await scopes.ledger(
        tx, ASSESSMENTS, rules.ledger(), rules.group, "subject_id", [pair], without=ident
    )
    ledger.add(rules.group(state), state.stage, state.date)
    return await records.amend(tx, outbox, ASSESSMENTS, row, state)


def _scope_id(new: NewAssessment) -> UUID | None:
    return new.mentorship_id or new.organization_id


def _mark(new: NewAssessment) -> bytes:
    """Of all but the id; 4.5 is 4.50."""
    asked = msgspec.to_builtins(new)
    return base.digest({**asked, "id": None, "value": rules.hundredths(new.value)})
