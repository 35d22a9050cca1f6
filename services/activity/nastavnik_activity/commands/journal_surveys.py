"""Responses as a journal tells of them: submitted, or corrected by the same key."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity.commands import base, surveys
from nastavnik_activity.commands.base import Entry, Outcome
from nastavnik_activity.domain.surveys import Changes, NewSurvey
from nastavnik_activity.tables import Survey
from nastavnik_common.auth_scope import reach
from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_common.outbox import Outbox


async def enter_all(
    tx: AsyncSession, outbox: Outbox, asked: Sequence[NewSurvey], now: datetime
) -> list[Outcome]:
    """An outcome for each, in order; all have ids that follow from their keys."""
    idents = [new.id for new in asked]
    rows = await tx.scalars(
        select(Survey).where(base.among(col(Survey.id), idents), col(Survey.deleted).is_(False))
    )
    there = {row.id: row for row in rows}
    found: dict[int, Outcome] = {}
    fresh: dict[int, NewSurvey] = {}
    for number, new in enumerate(asked):
        assert new.id is not None
        try:
            if new.id in there:
                found[number] = await _correct(tx, outbox, there[new.id], new, now)
            else:
                fresh[number] = new
        except DomainError as error:
            found[number] = error
    await tx.flush()
    results = await surveys.submit_all(tx, outbox, list(fresh.values()), now)
    for number, result in zip(fresh, results, strict=True):
        if isinstance(result, DomainError):
            found[number] = result
        else:
            found[number] = Entry.of(result)
    return [found[number] for number in range(len(asked))]


async def _correct(
    tx: AsyncSession, outbox: Outbox, row: Survey, new: NewSurvey, now: datetime
) -> Outcome:
    mark = surveys.mark(new)
    reach().demand(row.organization_id)
    if row.created_as == mark:
        return Entry(row.id, "unchanged")
    said = (new.mentorship_id, new.respondent_id, new.questionnaire)
    if (row.mentorship_id, row.respondent_id, row.questionnaire) != said:
        raise ConflictError("survey.other", "It is the response of another person.")
    before = row.version
    changes = Changes(stage=new.stage, date=new.date, answers=new.answers)
    state = await surveys.correct(tx, outbox, row.id, changes, None, now)
    row.created_as = mark
    return Entry(row.id, "unchanged" if state.version == before else "changed")
