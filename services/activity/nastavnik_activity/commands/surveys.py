"""Surveys: submitted and corrected."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.commands import base, questionnaires, records, registry, scopes
from nastavnik_activity.domain import surveys as rules
from nastavnik_activity.domain.questionnaires import Answer, pick
from nastavnik_activity.domain.surveys import Changes, NewSurvey
from nastavnik_activity.tables import SURVEYS
from nastavnik_common.errors import DomainError
from nastavnik_common.events.activity import SurveyState
from nastavnik_common.outbox import Outbox

Result = base.Made[SurveyState] | DomainError


async def submit_all(
    tx: AsyncSession, outbox: Outbox, asked: Sequence[NewSurvey], now: datetime
) -> list[Result]:
    """A result for each, in order; each is checked against those before it, too."""
    found = await scopes.lock(tx, "survey", asked)
    forms = await questionnaires.known(tx, {new.questionnaire for new in asked})
    people = await registry.participants(
        tx, {new.respondent_id for new in asked if new.mentorship_id is None}
    )
    pairs = {(s, new.respondent_id) for new in asked if (s := _scope_id(new))}
    ledger = await scopes.ledger(tx, SURVEYS, rules.ledger(), rules.group, "respondent_id", pairs)

    def judge(new: NewSurvey, ident: UUID) -> SurveyState:
        scope = found.of(new)
        form = pick(forms, new.questionnaire, new.questionnaire_version)
        state = rules.submit(new, ident, scope, form, now)
        if scope.mentorship is None and new.respondent_id not in people:
            raise registry.unknown_participant()
        ledger.add(rules.group(state), state.stage, state.date)
        return state

    intake = records.Intake(
        SURVEYS,
        judge,
        mark,
        ("answer_items", "answer_values"),
        lambda new: _columns(new.answers),
    )
    return await records.add_all(tx, outbox, asked, intake)


async def correct(
    tx: AsyncSession,
    outbox: Outbox,
    ident: UUID,
    changes: Changes,
    version: int | None,
    now: datetime,
) -> SurveyState:
    await scopes.relock(tx, await records.peek(tx, SURVEYS, ident))
    row, before = await records.lock(tx, SURVEYS, ident, version)
    forms = await questionnaires.known(tx, {before.questionnaire})
    form = pick(forms, before.questionnaire, before.questionnaire_version)
    state = rules.correct(before, changes, form, now, _stored(row))
    if isinstance(changes.answers, tuple):
        row.answer_items, row.answer_values = _columns(changes.answers)
    if state.version == before.version:
        return state
    pair = rules.scope_id(state), state.respondent_id
    ledger = await scopes.ledger(
        tx, SURVEYS, rules.ledger(), rules.group, "respondent_id", [pair], without=ident
    )
    ledger.add(rules.group(state), state.stage, state.date)
    return await records.amend(tx, outbox, SURVEYS, row, state)


def _scope_id(new: NewSurvey) -> UUID | None:
    return new.mentorship_id or new.organization_id


def _columns(answers: tuple[Answer, ...]) -> tuple[list[str], list[int]]:
    found = rules.ordered(answers)
    return [answer.item for answer in found], [answer.value for answer in found]


def _stored(row: Any) -> tuple[Answer, ...]:
    pairs = zip(row.answer_items, row.answer_values, strict=True)
    return tuple(Answer(item=item, value=value) for item, value in pairs)


def mark(new: NewSurvey) -> bytes:
    return base.digest(msgspec.structs.replace(new, id=None, answers=rules.ordered(new.answers)))
