"""What the API says of the audit."""

from datetime import datetime

from pydantic import BaseModel, Field

from nastavnik_metrics.audit import Auditor, Round
from nastavnik_metrics.audit_compare import Where


class DifferenceView(BaseModel):
    """A number that is not what the facts say."""

    where: Where
    about: tuple[str, ...] = Field(
        description="cell: organisation, school month, slice, measure; owner: kind, id, and the"
        " same; attendance: person, mentorship, school month; member: mentorship, person;"
        " value: indicator, unit, school year, slice, part"
    )
    stored: int
    expected: int


class RoundView(BaseModel):
    full: bool = Field(description="In one snapshot, as asked for; else owner by owner in turn")
    began: datetime
    ended: datetime | None
    owners: int = Field(description="Owners recomputed so far")
    cells: int = Field(description="Cells compared")
    drift: int = Field(description="Numbers that differ; must be 0")
    differences: list[DifferenceView] = Field(description="The first of them")


class AuditView(BaseModel):
    """Of this replica: each audits by itself."""

    current: RoundView | None
    last: RoundView | None = Field(description="The last complete round")


def audit_view(auditor: Auditor) -> AuditView:
    running = auditor.current if auditor.current and not auditor.current.ended else None
    return AuditView(
        current=round_view(running) if running else None,
        last=round_view(auditor.last) if auditor.last else None,
    )


def round_view(found: Round) -> RoundView:
    differing = [DifferenceView(**d._asdict()) for d in found.differences]
    return RoundView(**{**vars(found), "differences": differing})
