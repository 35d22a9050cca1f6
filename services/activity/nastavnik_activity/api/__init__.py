"""The service over HTTP: thin routes that call commands and queries."""

from fastapi import APIRouter

from nastavnik_activity.api import admin, forms, mentorships, sessions


def router() -> APIRouter:
    whole = APIRouter()
    for part in (forms.router, mentorships.router, sessions.router, admin.router):
        whole.include_router(part)
    return whole
