"""For those who run the service."""

from fastapi import APIRouter

from nastavnik_common import logs
from nastavnik_metrics import queries, snapshot
from nastavnik_metrics.accounting import Ledger
from nastavnik_metrics.accounting_views import AccountingView, accounting_view
from nastavnik_metrics.api.service import Service
from nastavnik_metrics.audit import Auditor
from nastavnik_metrics.audit_views import AuditView, RoundView, audit_view, round_view
from nastavnik_metrics.rebuild import Rebuilder
from nastavnik_metrics.rebuild_views import RebuildView, rebuild_view
from nastavnik_metrics.views import (
    CatalogueView,
    PositionView,
    ProgressView,
    RepublishedView,
)

log = logs.logger(__name__)


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
        log.info("asked to read the catalogue again")
        current = service.definitions.reload()
        async with sessions.begin() as tx:
            await queries.mark_all_stale(tx)
        return CatalogueView(
            indicators=[f"{i.code} version {i.version}" for i in current.indicators]
        )

    @router.post("/admin/republish", status_code=202)
    async def republish() -> RepublishedView:
        """Publish every announced value again, at the version it has: for a new consumer."""
        log.info("asked to publish all values again")
        return RepublishedView(counts={"indicator": await service.republish()})

    return router


def create_trust_router(auditor: Auditor, rebuilder: Rebuilder, ledger: Ledger) -> APIRouter:
    """Whether the figures are right, and what to do if they are not."""
    router = APIRouter(tags=["operations"])

    @router.get("/audit")
    async def audit() -> AuditView:
        """What the auditor has found: drift must be 0."""
        return audit_view(auditor)

    @router.post("/admin/audit")
    async def audit_now() -> RoundView:
        """Recompute everything from the facts now, in one snapshot. Repairs nothing."""
        log.info("asked to audit everything")
        return round_view(await auditor.full())

    @router.get("/rebuild")
    async def rebuild_progress() -> RebuildView:
        """How far the rebuild is, or what came of the last one."""
        return rebuild_view(rebuilder.progress)

    @router.post("/admin/rebuild", status_code=202)
    async def rebuild(dry_run: bool = False, accept_loss: bool = False) -> RebuildView:
        """Count everything anew from the log, beside the live figures, and put what differs in
        their place. `dry_run`: only compare. Where the log no longer has what the figures rest
        on nothing is replaced, unless `accept_loss`."""
        log.info("asked to rebuild", dry_run=dry_run, accept_loss=accept_loss)
        return rebuild_view(rebuilder.ask(dry_run=dry_run, accept_loss=accept_loss))

    @router.get("/accounting")
    async def accounting() -> AccountingView:
        """Whether every record read is accounted for, topic by topic."""
        return await accounting_view(ledger)

    @router.post("/admin/accounting")
    async def recount() -> AccountingView:
        """Read the whole log now and look for every record of it in what is stored."""
        log.info("asked to account for the whole log")
        await ledger.recount()
        return await accounting_view(ledger)

    return router
