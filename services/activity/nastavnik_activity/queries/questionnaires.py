"""Questionnaires: those that come with the service and a region's own."""

import msgspec
from sqlalchemy import ColumnElement, and_, collate, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity.domain import questionnaires as rules
from nastavnik_activity.domain.questionnaires import Questionnaire
from nastavnik_activity.tables import StoredQuestionnaire
from nastavnik_common.errors import NotFoundError
from nastavnik_common.paging import decode_cursor, encode_cursor

_MAX_VERSION = 10_000


def _after(code: str, version: int) -> ColumnElement[bool]:
    by_code: ColumnElement[str] = collate(col(StoredQuestionnaire.code), "C")
    same = col(StoredQuestionnaire.code) == code
    return or_(by_code > code, and_(same, col(StoredQuestionnaire.version) > version))


async def page(
    tx: AsyncSession, *, limit: int, cursor: str | None
) -> tuple[list[Questionnaire], str | None]:
    """By code and version."""
    after = decode_cursor(cursor, tuple[str, int]) if cursor is not None else ("", 0)
    # a cursor may hold what no key does
    place = after[0].replace("\0", ""), max(0, min(after[1], _MAX_VERSION))
    rows = await tx.scalars(
        select(col(StoredQuestionnaire.content))
        .where(_after(*place))
        .order_by(collate(col(StoredQuestionnaire.code), "C"), col(StoredQuestionnaire.version))
        .limit(limit + 1)
    )
    found = {key: each for key, each in rules.shipped().items() if key > place}
    found |= {each.key: each for each in (msgspec.convert(c, Questionnaire) for c in rows)}
    keys = sorted(found)[: limit + 1]
    more = encode_cursor(*keys[limit - 1]) if len(keys) > limit else None
    return [found[key] for key in keys[:limit]], more


async def one(tx: AsyncSession, code: str, version: int | None) -> Questionnaire:
    """That version, or the latest."""
    rows = await tx.scalars(
        select(col(StoredQuestionnaire.content)).where(col(StoredQuestionnaire.code) == code)
    )
    found = {key: each for key, each in rules.shipped().items() if key[0] == code}
    found |= {each.key: each for each in (msgspec.convert(c, Questionnaire) for c in rows)}
    if version is None:
        version = max((v for _, v in found), default=0)
    if (code, version) not in found:
        raise NotFoundError("questionnaire", code)
    return found[code, version]
