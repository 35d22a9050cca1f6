"""Routes of the metrics service. No route changes a figure."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from nastavnik_common import clock
from nastavnik_common.db import Sessions
from nastavnik_common.errors import DomainError, NotFoundError
from nastavnik_common.events.registry import Level
from nastavnik_common.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from nastavnik_metrics import queries, values
from nastavnik_metrics.catalogue.model import ALL_FORMS, Catalogue, Indicator
from nastavnik_metrics.positions import Lags
from nastavnik_metrics.views import (
    CardView,
    DeadLetterView,
    IndicatorView,
    PositionView,
    ProgressView,
    RepublishedView,
    UnitView,
    ValuesView,
    ValueView,
    indicator_view,
    unit_view,
    value_view,
)

SchoolYear = Annotated[
    str | None,
    Query(pattern=r"^(19|20|21)\d\d/\d\d$", description="e.g. 2026/27; absent: the current one"),
]
Form = Annotated[
    str, Query(max_length=64, description="`all`, the code of a form, or `*` for every form")
]


def create_router(
    sessions: Sessions,
    catalogue: Catalogue,
    lags: Lags,
    republish_values: Callable[[], Awaitable[int]],
) -> APIRouter:
    router = APIRouter()

    @router.get("/indicators", tags=["indicators"])
    async def list_indicators() -> Page[IndicatorView]:
        """The catalogue."""
        return Page(items=[indicator_view(i) for i in catalogue.indicators])

    @router.get("/indicators/{code}", tags=["indicators"])
    async def get_indicator(code: str) -> IndicatorView:
        return indicator_view(_indicator(catalogue, code))

    @router.get("/indicators/{code}/values", tags=["indicators"])
    async def get_values(
        code: str,
        unit: UUID,
        school_year: SchoolYear = None,
        form: Form = ALL_FORMS,
        children: Annotated[bool, Query(description="and of the units right below")] = False,
    ) -> ValuesView:
        """Values of one indicator: of the unit and, if asked, of those below it."""
        indicator = _indicator(catalogue, code)
        found = await _values(unit, _year(school_year), [indicator], form, children)
        return ValuesView(items=found)

    @router.get("/units/{unit}/card", tags=["units"])
    async def get_card(
        unit: UUID, school_year: SchoolYear = None, form: Form = ALL_FORMS
    ) -> CardView:
        """One unit with all its indicators."""
        year = _year(school_year)
        async with sessions() as tx:
            about = await queries.unit(tx, unit)
        found = await _values(unit, year, catalogue.indicators, form, False)
        return CardView(unit=unit_view(about), school_year=clock.label(year), values=found)

    async def _values(
        unit: UUID, year: int, indicators: Sequence[Indicator], form: str, children: bool
    ) -> list[ValueView]:
        async with sessions() as tx:
            await queries.unit(tx, unit)
            snap = await values.snapshot(tx, year, catalogue)
            units = [unit, *(sorted(snap.tree.children(unit)) if children else [])]
            found = await values.evaluated(
                tx, snap, units, indicators, None if form == "*" else form
            )
        return [value_view(v, snap.tree.units[v.organization_id].name) for v in found]

    @router.get("/units", tags=["units"])
    async def list_units(
        level: Level | None = None,
        name: Annotated[str | None, Query(max_length=200)] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[UnitView]:
        """Org units known here."""
        after = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
        async with sessions() as tx:
            found = await queries.units(tx, level, _clean(name), after, limit)
        more = encode_cursor(found[-1].id) if len(found) == limit else None
        return Page(items=[unit_view(u) for u in found], next_cursor=more)

    @router.get("/progress", tags=["operations"])
    async def progress() -> ProgressView:
        """How far the figures are behind the events, partition by partition."""
        async with sessions() as tx:
            rows = await queries.progress(tx)
            mark = await values.watermark(tx)
        known = lags()
        items = [PositionView(**r, lag=known.get((r["topic"], r["partition"]))) for r in rows]
        return ProgressView(lag=sum(known.values()), watermark=mark, partitions=items)

    @router.get("/dead-letters", tags=["operations"])
    async def list_dead_letters(limit: Limit = 100, cursor: Cursor = None) -> Page[DeadLetterView]:
        """Records that could not be read, put aside."""
        after = decode_cursor(cursor, tuple[int])[0] if cursor else 0
        async with sessions() as tx:
            found = await queries.dead_letters(tx, after, limit)
        more = encode_cursor(found[-1]["id"]) if len(found) == limit else None
        return Page(items=[DeadLetterView(**row) for row in found], next_cursor=more)

    @router.post("/admin/republish", status_code=202, tags=["operations"])
    async def republish() -> RepublishedView:
        """Publish every announced value again, at the version it has: for a new consumer."""
        return RepublishedView(counts={"indicator": await republish_values()})

    return router


def _indicator(catalogue: Catalogue, code: str) -> Indicator:
    found = catalogue.indicator(code)
    if found is None:
        raise NotFoundError("indicator", "with that code")
    return found


def _year(label: str | None) -> int:
    if label is None:
        return clock.school_year(clock.now().date())
    try:
        return clock.parse_label(label)
    except ValueError as error:
        raise DomainError(
            "school_year.malformed", "A school year is written 2026/27.", status=422
        ) from error


def _clean(name: str | None) -> str | None:
    if name is not None and "\0" in name:
        raise DomainError("request.nul_character", "A string holds the NUL character.", status=422)
    return name
