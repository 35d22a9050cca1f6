"""What the API says of a rebuild."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from nastavnik_metrics.rebuild import Progress, State


class CellChangeView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    organization_id: UUID
    school_month: int
    slice: str
    measure: str
    live: int
    rebuilt: int


class RebuildReportView(BaseModel):
    """Live and rebuilt figures at the same positions of the log."""

    model_config = ConfigDict(from_attributes=True)

    cells: int = Field(description="Cells that differ")
    by_measure: dict[str, int]
    sample: list[CellChangeView] = Field(description="The first of them")
    lost: dict[str, int] = Field(description="Facts, by kind, that the log no longer has")


class RebuildView(BaseModel):
    """Of this replica: the one that was asked."""

    model_config = ConfigDict(from_attributes=True)

    state: State
    dry_run: bool
    accept_loss: bool
    began: datetime | None
    ended: datetime | None
    records: int = Field(description="Records read so far")
    unreadable: int
    left: int | None = Field(description="Offsets still to read; an upper bound of records")
    error: str | None
    report: RebuildReportView | None
    replaced: dict[str, int] = Field(description="Rows of the live tables replaced, by table")


def rebuild_view(progress: Progress) -> RebuildView:
    return RebuildView.model_validate(progress)
