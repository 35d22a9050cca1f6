"""The service over HTTP: thin routes that call commands and queries."""

from fastapi import APIRouter

from nastavnik_activity.api import (
    admin,
    assessments,
    contributions,
    forms,
    gatherings,
    mentorships,
    questionnaires,
    reviews,
    sessions,
    surveys,
)

_PARTS = (
    forms,
    mentorships,
    reviews,
    sessions,
    questionnaires,
    surveys,
    assessments,
    contributions,
    gatherings,
    admin,
)


def router() -> APIRouter:
    whole = APIRouter()
    for part in _PARTS:
        whole.include_router(part.router)
    return whole
