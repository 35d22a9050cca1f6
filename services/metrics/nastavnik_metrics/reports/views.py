"""What the API says about reports."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from nastavnik_common import clock
from nastavnik_common.events.registry import Level
from nastavnik_metrics.reports.contents import Contents, State
from nastavnik_metrics.reports.restatements import PartChange, Restatement
from nastavnik_metrics.reports.rules import Action, Report, Status, Step
from nastavnik_metrics.views import ValueView, value_view


class StepView(BaseModel):
    action: Action
    by: str = Field(description="Opaque, of whose token it was")
    comment: str | None
    at: datetime


class ReportView(BaseModel):
    id: UUID
    version: int
    unit_id: UUID
    unit_name: str | None = Field(description="null: the unit is not known any more")
    level: Level
    school_year: str = Field(examples=["2026/27"])
    status: Status
    created_at: datetime
    history: list[StepView] = Field(description="Oldest first")


class ReportValuesView(BaseModel):
    report_id: UUID
    state: State = Field(description="`provisional`: live; `frozen`: as stored, for good")
    items: list[ValueView]


class ChangedPartView(BaseModel):
    """One that the figure is made of: before and after."""

    kind: str = Field(
        description="Of an organisation's report: person, mentorship, …; `unit`: an organisation"
        " that counts as such. Of a territory's: `organization`, with its whole figure"
    )
    id: UUID
    organization_id: UUID
    numerator_before: int
    numerator_after: int
    denominator_before: int
    denominator_after: int


class RestatementView(BaseModel):
    indicator: str
    form: str
    before: ValueView | None = Field(description="null: this slice counted nothing then")
    after: ValueView = Field(description="By the definition of the frozen value")
    since: datetime | None = Field(
        description="Announced otherwise without a break since then; null: not announced yet, or"
        " what was announced does not tell"
    )
    changed: int | None = Field(
        description="How many of those that the figure is made of changed; null for slices other"
        " than `all`, of which that was not kept"
    )
    contributors: list[ChangedPartView] = Field(description="The largest changes, up to `parts`")


class RestatementsView(BaseModel):
    report_id: UUID
    items: list[RestatementView]


def report_view(report: Report, unit_name: str | None, steps: list[Step]) -> ReportView:
    return ReportView(
        id=report.id,
        version=report.version,
        unit_id=report.unit_id,
        unit_name=unit_name,
        level=report.level,
        school_year=clock.label(report.school_year),
        status=report.status,
        created_at=report.created_at,
        history=[StepView(action=s.action, by=s.by, comment=s.comment, at=s.at) for s in steps],
    )


def values_view(report: Report, held: Contents) -> ReportValuesView:
    return ReportValuesView(
        report_id=report.id,
        state=held.state,
        items=[value_view(value, held.unit.name) for value, _ in held.items],
    )


def restatement_view(found: Restatement, names: tuple[str, str], parts: int) -> RestatementView:
    """`names` of the unit, then and now."""
    return RestatementView(
        indicator=found.indicator,
        form=found.slice,
        before=None if found.before is None else value_view(found.before, names[0]),
        after=value_view(found.after, names[1]),
        since=found.since,
        changed=None if found.changed is None else len(found.changed),
        contributors=[_part_view(change) for change in (found.changed or [])[:parts]],
    )


def _part_view(change: PartChange) -> ChangedPartView:
    return ChangedPartView(
        **change.part._asdict(),
        numerator_before=change.before[0],
        numerator_after=change.after[0],
        denominator_before=change.before[1],
        denominator_after=change.after[1],
    )
