"""Questionnaires of a region's own, and all by their codes."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity.commands.base import among
from nastavnik_activity.domain import questionnaires as rules
from nastavnik_activity.domain.questionnaires import Key, Questionnaire
from nastavnik_activity.tables import StoredQuestionnaire
from nastavnik_common.errors import ConflictError


async def add(tx: AsyncSession, asked: Questionnaire) -> bool:
    """True when new, False when the very same is there; ConflictError for another."""
    rules.checked(asked)
    there = (await known(tx, {asked.code})).get(asked.key)
    if there is None:
        content = msgspec.to_builtins(asked)
        values = {"code": asked.code, "version": asked.version, "content": content}
        statement = insert(StoredQuestionnaire).values(values).on_conflict_do_nothing()
        if await tx.scalar(statement.returning(col(StoredQuestionnaire.version))) is not None:
            return True
        there = (await known(tx, {asked.code}))[asked.key]
    if there != asked:
        raise ConflictError(
            "questionnaire.id_conflict", "That version is another; add the next version."
        )
    return False


async def known(tx: AsyncSession, codes: Iterable[str]) -> dict[Key, Questionnaire]:
    """All versions of those codes. One that is stored came first, and stays what it was, should
    the same version be shipped later."""
    wanted = set(codes)
    found = {key: each for key, each in rules.shipped().items() if key[0] in wanted}
    rows = await tx.scalars(
        select(col(StoredQuestionnaire.content)).where(among(col(StoredQuestionnaire.code), wanted))
    )
    stored = [msgspec.convert(content, Questionnaire) for content in rows]
    return found | {each.key: each for each in stored}
