"""For those who run the service."""

from fastapi import APIRouter

from nastavnik_metrics import queries, snapshot
from nastavnik_metrics.api.service import Service
from nastavnik_metrics.views import (
    CatalogueView,
    PositionView,
    ProgressView,
    RepublishedView,
)


def create_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["operations"])
    sessions = service.sessions

    @router.get("/progress")
    async def progress() -> ProgressView:
        """How far the figures are behind the events, partition by partition."""
        async with sessions() as tx:
            rows = await queries.progress(tx)
            mark = await snapshot.watermark(tx)
        known = service.lags()
        items = [PositionView(**r, lag=known.get((r["topic"], r["partition"]))) for r in rows]
        return ProgressView(lag=sum(known.values()), watermark=mark, partitions=items)

    @router.post("/admin/catalogue:reload")
    async def reload_catalogue() -> CatalogueView:
        """Read the catalogue's file again: indicators added, changed or retired by data alone.
        A broken one is refused with the place and the reason, and the old one stays. Every
        replica reads its own."""
        current = service.definitions.reload()
        async with sessions.begin() as tx:
            await queries.mark_all_stale(tx)
        return CatalogueView(
            indicators=[f"{i.code} version {i.version}" for i in current.indicators]
        )

    @router.post("/admin/republish", status_code=202)
    async def republish() -> RepublishedView:
        """Publish every announced value again, at the version it has: for a new consumer."""
        return RepublishedView(counts={"indicator": await service.republish()})

    return router
