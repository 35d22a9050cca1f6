"""Routes for operators."""

from typing import Any, Literal

from fastapi import APIRouter

from nastavnik_activity.api.service import Wired
from nastavnik_activity.api.views import Republished
from nastavnik_activity.commands import republish as commands

router = APIRouter(tags=["admin"])
Kind = Literal["mentorship", "session", "survey", "assessment", "contribution", "gathering"]


@router.post("/admin/republish", status_code=202)
async def republish(service: Wired, kind: Kind | None = None) -> Republished:
    """Every current state, tombstones included, into the outbox again, with its version."""
    counts = {}
    for name in (kind,) if kind else commands.KINDS:
        counts[name] = 0
        after: Any | None = None
        while True:
            async with service.sessions.begin() as tx:
                moved, after = await commands.chunk(tx, service.outbox, name, after)
            counts[name] += moved
            if after is None:
                break
    return Republished(**counts)
