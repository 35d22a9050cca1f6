"""Routes of the metrics service. Figures come from events alone; a rebuild reads those again."""

from fastapi import APIRouter

from nastavnik_metrics.api import exports, indicators, operations, reports, units
from nastavnik_metrics.api.service import Service


def create_router(service: Service) -> APIRouter:
    router = APIRouter()
    router.include_router(indicators.create_router(service))
    router.include_router(indicators.create_details_router(service))
    router.include_router(units.create_router(service))
    router.include_router(reports.create_router(service))
    router.include_router(exports.create_router(service))
    router.include_router(operations.create_router(service))
    return router
