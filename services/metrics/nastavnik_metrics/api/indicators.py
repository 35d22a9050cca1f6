"""Indicators: definitions, values, monthly series, history, and what a figure is made of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.events.metrics import IndicatorValueState
from nastavnik_common.events.registry import OrganizationKind
from nastavnik_common.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from nastavnik_metrics import drilldown, months, queries, snapshot, values
from nastavnik_metrics.api.service import (
    YEAR,
    Kind,
    KnownOn,
    Month,
    Public,
    SchoolYear,
    Service,
    Slice,
    moment_asked,
    slice_asked,
    year_asked,
)
from nastavnik_metrics.catalogue.model import ALL
from nastavnik_metrics.snapshot import Snapshot
from nastavnik_metrics.suppression import suppressed
from nastavnik_metrics.views import (
    ContributorView,
    IndicatorView,
    SeriesView,
    ValuesView,
    ValueView,
    indicator_view,
    value_view,
)

Years = Annotated[
    list[str] | None,
    Query(alias="school_year", max_length=10, description="one or several, e.g. 2026/27"),
]
Children = Annotated[bool, Query(description="and of the units right below")]
Version = Annotated[int | None, Query(ge=1, le=10_000, description="of the definition")]


def create_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["indicators"])
    sessions = service.sessions

    @router.get("/indicators")
    async def list_indicators(school_year: SchoolYear = None) -> Page[IndicatorView]:
        """The catalogue: the definitions in force in the year."""
        current = service.catalogue.current(year_asked(school_year))
        return Page(items=[indicator_view(i) for i in current])

    @router.get("/indicators/{code}")
    async def get_indicator(
        code: str, school_year: SchoolYear = None, version: Version = None
    ) -> IndicatorView:
        return indicator_view(service.indicator(code, year_asked(school_year), version))

    @router.get("/indicators/{code}/values")
    async def get_values(
        code: str,
        unit: UUID,
        school_year: Years = None,
        form: Slice = ALL,
        month: Month = None,
        kind: Kind = None,
        children: Children = False,
        version: Version = None,
        known_on: KnownOn = None,
        public: Public = False,
    ) -> ValuesView:
        """Values of one indicator: of the unit and, if asked, of those below it; of one school
        year or of several side by side."""
        asked = _Asked(code, unit, slice_asked(form), month, kind, children, version)
        found: list[ValueView] = []
        labels: list[str | None] = [*school_year] if school_year else [None]
        for label in labels:
            async with sessions() as tx:
                snap, shown = await _values(
                    tx, service, asked, year_asked(label), moment_asked(known_on), public
                )
            found += [value_view(v, snap.tree.units[v.organization_id].name) for v in shown]
        return ValuesView(items=found)

    return router


class _Asked(NamedTuple):
    code: str
    unit: UUID
    slice: str | None
    month: int | None
    kind: OrganizationKind | None
    children: bool
    version: int | None


async def _values(
    tx: AsyncSession,
    service: Service,
    asked: _Asked,
    year: int,
    known_on: datetime | None,
    public: bool,
) -> tuple[Snapshot, Sequence[IndicatorValueState]]:
    """For publication all of the tree is looked at: what may be told of a unit depends on what is
    told of the others."""
    indicator = service.indicator(asked.code, year, asked.version)
    await queries.unit(tx, asked.unit)
    at = values.month_asked(year, asked.month)
    snap = await snapshot.take(tx, at, service.catalogue, asked.kind)
    below = sorted(snap.tree.children(asked.unit)) if asked.children else []
    wanted = [asked.unit, *below]
    units = list(snap.tree.units) if public else wanted
    if known_on is None:
        known = await values.evaluated(tx, snap, units, [indicator], asked.slice)
    else:
        told = await queries.known_on(tx, units, [asked.code], year, asked.slice, known_on)
        known = [v for v in told if v.organization_id in snap.tree.units]
    if public:
        children = {unit: snap.tree.children(unit) for unit in units}
        known = suppressed(known, children, service.catalogue.about_people)
        place = {ident: number for number, ident in enumerate(wanted)}
        shown = [v for v in known if v.organization_id in place]
        known = sorted(shown, key=lambda v: place[v.organization_id])
    return snap, known


def create_details_router(service: Service) -> APIRouter:
    """How a figure came about: month by month, announcement by announcement, part by part."""
    router = APIRouter(tags=["indicators"])
    sessions = service.sessions

    @router.get("/indicators/{code}/series")
    async def get_series(
        code: str, unit: UUID, school_year: SchoolYear = None, form: Slice = ALL
    ) -> SeriesView:
        """One value a month of the school year, up to the month the events have reached."""
        year = year_asked(school_year)
        indicator = service.indicator(code, year)
        found = []
        async with sessions() as tx:
            about = await queries.unit(tx, unit)
            mark = await snapshot.watermark(tx)
            reached = 11 if mark is None else months.month_of(mark.date()) - 12 * year
            for month in range(min(reached, 11) + 1):
                snap = await snapshot.take(tx, 12 * year + month, service.catalogue)
                one = await values.evaluated(
                    tx, snap, [unit], [indicator], slice_asked(form) or ALL
                )
                found += [value_view(v, about.name) for v in one]
        return SeriesView(items=found)

    @router.get("/indicators/{code}/history")
    async def get_history(
        code: str,
        unit: UUID,
        school_year: Annotated[str | None, Query(pattern=YEAR)] = None,
        form: Slice = ALL,
        limit: Limit = 100,
    ) -> ValuesView:
        """The values announced, newest first: what was known, and since when."""
        year = year_asked(school_year)
        async with sessions() as tx:
            about = await queries.unit(tx, unit)
            known = await queries.history(tx, unit, code, year, form, limit)
        return ValuesView(items=[value_view(v, about.name, since) for since, v in known])

    @router.get("/indicators/{code}/contributors")
    async def get_contributors(
        code: str,
        unit: UUID,
        part: Literal["numerator", "denominator"] = "numerator",
        school_year: SchoolYear = None,
        form: Slice = ALL,
        month: Month = None,
        kind: Kind = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[ContributorView]:
        """What the figure is made of: the ids of the persons, mentorships, programmes … and how
        much each adds. They sum up to the numerator or the denominator."""
        year = year_asked(school_year)
        indicator = service.indicator(code, year)
        after = decode_cursor(cursor, tuple[str, UUID]) if cursor else None
        async with sessions() as tx:
            await queries.unit(tx, unit)
            at = values.month_asked(year, month)
            snap = await snapshot.take(tx, at, service.catalogue, kind)
            asked = drilldown.Asked(indicator, part, slice_asked(form) or ALL)
            found = await drilldown.contributors(tx, snap, unit, asked, after, limit)
        items = [
            ContributorView(kind=c.kind, id=c.id, organization_id=c.organization_id, adds=c.adds)
            for c in found.items
        ]
        return Page(items=items, next_cursor=encode_cursor(*found.next) if found.next else None)

    return router
