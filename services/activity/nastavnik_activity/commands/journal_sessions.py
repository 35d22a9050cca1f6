"""Sessions as a journal tells of them: logged, corrected by the same key, or kept for review."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity.commands import base, locks, reviews, sessions
from nastavnik_activity.commands.base import Entry, Outcome
from nastavnik_activity.domain.journals import SessionLine
from nastavnik_activity.domain.sessions import Changes, NewSession
from nastavnik_activity.tables import Session, SessionReview
from nastavnik_common.auth_scope import reach
from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_common.outbox import Outbox


async def enter_all(
    tx: AsyncSession, outbox: Outbox, lines: Sequence[SessionLine], source: str, now: datetime
) -> list[Outcome]:
    """An outcome for each, in order. Corrections go first: they may make room for what is new.

    A new one that overlaps a held session of its mentorship is kept for review, so that nothing
    is lost and nothing is counted twice.
    """
    journal = _Journal(tx, outbox, source, now)
    await journal.look(lines)
    found: dict[int, Outcome] = {}
    fresh: dict[int, NewSession] = {}
    for number, line in enumerate(lines):
        try:
            done = await journal.again(line)
            if done is None:
                fresh[number] = journal.asked(line)
            else:
                found[number] = done
        except DomainError as error:
            found[number] = error
    await tx.flush()
    found |= await journal.log(fresh)
    return [found[number] for number in range(len(lines))]


class _Journal:
    def __init__(self, tx: AsyncSession, outbox: Outbox, source: str, now: datetime) -> None:
        self._tx, self._outbox, self._source, self._now = tx, outbox, source, now
        self._people: dict[UUID, list[UUID]] = {}
        self._rows: dict[UUID, Session] = {}
        self._reviews: dict[UUID, SessionReview] = {}
        self._seen: set[UUID] = set()

    async def look(self, lines: Sequence[SessionLine]) -> None:
        """At all that the lines speak of, locked: mentorships in the order of their ids."""
        named = {m for line in lines if (m := self._mentorship(line)) is not None}
        for ident, (state, _) in (await locks.mentorships(self._tx, named)).items():
            members = [m.participant_id for m in state.members if m.role != "curator"]
            self._people[ident] = members
        idents = [line.ident(self._source) for line in lines]
        rows = await self._tx.scalars(
            select(Session)
            .where(base.among(col(Session.id), idents), col(Session.deleted).is_(False))
            .order_by(col(Session.id))
            .execution_options(populate_existing=True)
        )
        self._rows = {row.id: row for row in rows}
        waiting = await self._tx.scalars(
            select(SessionReview).where(base.among(col(SessionReview.id), idents)).with_for_update()
        )
        self._reviews = {row.id: row for row in waiting}

    def asked(self, line: SessionLine) -> NewSession:
        ident = line.ident(self._source)
        row = self._rows.get(ident)
        # who could have come to a session that is recorded: those recorded with it
        recorded = row.participant_ids if row is not None and row.participant_ids else None
        people = recorded or self._people.get(line.mentorship(self._source), [])
        return line.asked(self._source, people)

    async def again(self, line: SessionLine) -> Outcome | None:
        """What becomes of a line whose session is stored, or waits. None: it is to be logged."""
        ident = line.ident(self._source)
        if ident in self._seen:
            raise DomainError("line.repeated_key", "An earlier line has the same key.")
        self._seen.add(ident)
        row, review = self._rows.get(ident), self._reviews.get(ident)
        if line.status == "voided":
            return await self._void(ident, row, review)
        new = self.asked(line)
        mark = sessions.digest(new)
        if row is not None:
            return await self._correct(row, new, mark)
        if review is not None:
            reach().demand(review.organization_id)
        if review is not None and review.created_as == mark:
            return Entry(ident, "waiting" if review.status == "open" else "unchanged")
        return None

    async def _correct(self, row: Session, new: NewSession, mark: bytes) -> Outcome:
        reach().demand(row.organization_id)
        if row.created_as == mark:
            return Entry(row.id, "unchanged")
        if row.mentorship_id != new.mentorship_id:
            raise ConflictError("session.other_mentorship", "It is of another mentorship.")
        changes = Changes(
            status=new.status,
            starts_at=new.starts_at,
            duration_minutes=new.duration_minutes,
            technology=new.technology,
            audience=new.audience,
            attendance=new.attendance,
        )
        before = row.version
        state = await sessions.correct(self._tx, self._outbox, row.id, changes, None, self._now)
        row.created_as = mark
        return Entry(row.id, "unchanged" if state.version == before else "changed")

    async def _void(
        self, ident: UUID, row: Session | None, review: SessionReview | None
    ) -> Outcome:
        if row is not None:
            before = row.version
            state = await sessions.void(self._tx, self._outbox, ident, "journal", None)
            return Entry(ident, "unchanged" if state.version == before else "changed")
        if review is None:
            raise DomainError("session.nothing_to_void", "No session has that key.")
        reach().demand(review.organization_id)
        if review.status != "open":
            return Entry(ident, "unchanged")
        reviews.close(review, "voided", "journal", self._now)
        return Entry(ident, "changed")

    async def log(self, fresh: dict[int, NewSession]) -> dict[int, Outcome]:
        asked = list(fresh.values())
        results = await sessions.log_all(self._tx, self._outbox, asked, self._now)
        found: dict[int, Outcome] = {}
        for (number, new), result in zip(fresh.items(), results, strict=True):
            assert new.id is not None
            review = self._reviews.get(new.id)
            if not isinstance(result, DomainError):
                found[number] = Entry.of(result)
                if review is not None:
                    reviews.close(review, "corrected", None, self._now)
            elif result.code == "session.overlaps":
                await reviews.park(self._tx, new, sessions.digest(new), review)
                found[number] = Entry(new.id, "waiting")
            else:
                found[number] = result
        return found

    def _mentorship(self, line: SessionLine) -> UUID | None:
        try:
            return line.mentorship(self._source)
        except DomainError:
            return None  # said when the line's turn comes
