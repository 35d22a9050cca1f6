"""Forms."""

from sqlalchemy import collate, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity.domain import forms as rules
from nastavnik_activity.tables import Form
from nastavnik_common.paging import decode_cursor, encode_cursor


async def page(
    tx: AsyncSession, *, limit: int, cursor: str | None
) -> tuple[list[Form], str | None]:
    """By code, the federal five among the local ones."""
    after = decode_cursor(cursor, tuple[str])[0] if cursor is not None else ""
    federal = [
        Form(code=code, name=name, federal_form=code)
        for code, name in rules.NAMES.items()
        if code > after
    ]
    # a cursor may hold what no code does, and PostgreSQL takes no zero byte
    local = (
        await tx.scalars(
            select(Form)
            .where(collate(col(Form.code), "C") > after.replace("\0", ""))
            .order_by(collate(col(Form.code), "C"))
            .limit(limit + 1)
        )
    ).all()
    found = sorted([*federal, *local], key=lambda form: form.code)
    more = encode_cursor(found[limit - 1].code) if len(found) > limit else None
    return found[:limit], more
