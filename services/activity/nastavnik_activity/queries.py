"""Reads. Lists are in the order of ids, which never change, and page by the last one seen."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, collate, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity import tables
from nastavnik_activity.domain import forms as rules
from nastavnik_activity.tables import Form, Mentorship, Session
from nastavnik_common.errors import NotFoundError
from nastavnik_common.events.activity import MentorshipState, SessionState
from nastavnik_common.paging import decode_cursor, encode_cursor

_MENTORSHIP = [getattr(Mentorship, name) for name in tables.MENTORSHIP_COLUMNS]
_SESSION = [getattr(Session, name) for name in tables.SESSION_COLUMNS]


async def mentorship(tx: AsyncSession, ident: UUID) -> MentorshipState:
    statement = select(*_MENTORSHIP).where(
        col(Mentorship.id) == ident, col(Mentorship.deleted).is_(False)
    )
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise NotFoundError("mentorship", ident)
    return tables.mentorship_state(row)


async def session(tx: AsyncSession, ident: UUID) -> SessionState:
    statement = select(*_SESSION).where(col(Session.id) == ident, col(Session.deleted).is_(False))
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise NotFoundError("session", ident)
    return tables.session_state(row)


async def mentorships(
    tx: AsyncSession,
    *,
    limit: int,
    cursor: str | None,
    organization_id: UUID | None,
    status: str | None,
    form: str | None,
    participant_id: UUID | None,
) -> tuple[list[MentorshipState], str | None]:
    statement = select(*_MENTORSHIP).where(col(Mentorship.deleted).is_(False))
    for column, value in (
        (col(Mentorship.organization_id), organization_id),
        (col(Mentorship.status), status),
        (col(Mentorship.form), form),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if participant_id is not None:
        statement = statement.where(col(Mentorship.member_ids).contains([participant_id]))
    rows, more = await _page(tx, statement, col(Mentorship.id), limit, cursor)
    return [tables.mentorship_state(row) for row in rows], more


async def sessions(
    tx: AsyncSession,
    *,
    limit: int,
    cursor: str | None,
    mentorship_id: UUID | None,
    organization_id: UUID | None,
    since: date | None,
    until: date | None,
    status: str | None,
) -> tuple[list[SessionState], str | None]:
    """`since` and `until`: days at the session's own offset, half-open."""
    statement = select(*_SESSION).where(col(Session.deleted).is_(False))
    for column, value in (
        (col(Session.mentorship_id), mentorship_id),
        (col(Session.organization_id), organization_id),
        (col(Session.status), status),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if since is not None:
        statement = statement.where(col(Session.day) >= since)
    if until is not None:
        statement = statement.where(col(Session.day) < until)
    rows, more = await _page(tx, statement, col(Session.id), limit, cursor)
    return [tables.session_state(row) for row in rows], more


async def forms(
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


async def _page(
    tx: AsyncSession, statement: Select[Any], ident: Any, limit: int, cursor: str | None
) -> tuple[Sequence[Any], str | None]:
    if cursor is not None:
        statement = statement.where(ident > decode_cursor(cursor, tuple[UUID])[0])
    rows = (await tx.execute(statement.order_by(ident).limit(limit + 1))).all()
    more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return rows[:limit], more
