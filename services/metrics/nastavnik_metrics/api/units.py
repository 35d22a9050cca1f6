"""Org units, and the card of one unit with all its indicators."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from nastavnik_common import clock
from nastavnik_common.events.registry import Level
from nastavnik_common.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from nastavnik_metrics import queries, snapshot, values
from nastavnik_metrics.api.service import (
    Kind,
    KnownOn,
    Month,
    SchoolYear,
    Service,
    Slice,
    moment_asked,
    slice_asked,
    year_asked,
)
from nastavnik_metrics.catalogue.model import ALL
from nastavnik_metrics.views import CardView, UnitView, unit_view, value_view


def create_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["units"])
    sessions = service.sessions

    @router.get("/units")
    async def list_units(
        level: Level | None = None,
        name: Annotated[str | None, Query(max_length=200)] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[UnitView]:
        """Org units known here."""
        after = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
        wanted = slice_asked(name) if name else None
        async with sessions() as tx:
            found = await queries.units(tx, level, wanted, after, limit)
        more = encode_cursor(found[-1].id) if len(found) == limit else None
        return Page(items=[unit_view(u) for u in found], next_cursor=more)

    @router.get("/units/{unit}/card")
    async def get_card(
        unit: UUID,
        school_year: SchoolYear = None,
        form: Slice = ALL,
        month: Month = None,
        kind: Kind = None,
        known_on: KnownOn = None,
    ) -> CardView:
        """One unit with all its indicators."""
        year = year_asked(school_year)
        current = service.catalogue.current(year)
        at = slice_asked(form)
        async with sessions() as tx:
            about = await queries.unit(tx, unit)
            if known_on is not None:
                codes = [i.code for i in current]
                found = await queries.known_on(tx, [unit], codes, year, at, moment_asked(known_on))
            else:
                taken = values.month_asked(year, month)
                snap = await snapshot.take(tx, taken, service.catalogue, kind)
                found = await values.evaluated(tx, snap, [unit], current, at)
        return CardView(
            unit=unit_view(about),
            school_year=clock.label(year),
            values=[value_view(v, about.name) for v in found],
        )

    return router
