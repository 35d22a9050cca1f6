"""Routes of the registry, by noun."""

from fastapi import APIRouter

from nastavnik_registry.api import (
    admin,
    consents,
    external_ids,
    import_sources,
    imports,
    organizations,
    participants,
    privacy,
    programmes,
    reference_counts,
    targets,
)
from nastavnik_registry.api.service import Service

__all__ = ["Service", "routers"]


def routers() -> list[APIRouter]:
    modules = (
        organizations,
        participants,
        consents,
        privacy,
        programmes,
        targets,
        reference_counts,
        external_ids,
        imports,
        import_sources,
        admin,
    )
    return [module.router for module in modules]
