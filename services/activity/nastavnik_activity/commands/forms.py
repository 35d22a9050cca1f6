"""Local forms."""

from collections.abc import Iterable
from typing import cast

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity.commands.base import among
from nastavnik_activity.domain import forms
from nastavnik_activity.tables import Form
from nastavnik_common.errors import ConflictError
from nastavnik_common.events.activity import FederalForm


async def add(tx: AsyncSession, form: Form) -> bool:
    """True when new, False when the very same is there; ConflictError for another."""
    if form.code in forms.FEDERAL:
        raise ConflictError("form.id_conflict", "The code belongs to a federal form.")
    values = {"code": form.code, "name": form.name, "federal_form": form.federal_form}
    added = await tx.scalar(
        insert(Form).values(values).on_conflict_do_nothing().returning(col(Form.code))
    )
    if added is not None:
        return True
    stored = (await tx.execute(select(Form).where(col(Form.code) == form.code))).scalar_one()
    if (stored.name, stored.federal_form) != (form.name, form.federal_form):
        raise ConflictError("form.id_conflict", "The code belongs to another form.")
    return False


async def federal(tx: AsyncSession, codes: Iterable[str]) -> dict[str, FederalForm]:
    """Of those codes that are forms: the federal form each stands for."""
    found = {code: forms.FEDERAL[code] for code in codes if code in forms.FEDERAL}
    local = set(codes) - found.keys()
    if local:
        rows = await tx.execute(
            select(col(Form.code), col(Form.federal_form)).where(among(col(Form.code), local))
        )
        found |= {code: cast(FederalForm, form) for code, form in rows.tuples()}
    return found
