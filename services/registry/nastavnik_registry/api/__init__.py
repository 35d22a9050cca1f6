"""Routes of the registry, by noun."""

from fastapi import APIRouter

from nastavnik_registry.api import (
    admin,
    external_ids,
    imports,
    organizations,
    participants,
    targets,
)
from nastavnik_registry.api.service import Service

__all__ = ["Service", "routers"]


def routers() -> list[APIRouter]:
    modules = (organizations, participants, targets, external_ids, imports, admin)
    return [module.router for module in modules]
