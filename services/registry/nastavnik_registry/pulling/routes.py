"""Pulls over HTTP: how far they are, and pull now. Sources are configured in a file."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from nastavnik_common.paths import register_segment
from nastavnik_registry import bodies
from nastavnik_registry.pulling.pulls import Pull, Pulls

router = APIRouter(prefix="/pulls", tags=["pulls"])


register_segment()


class PullList(BaseModel):
    items: list[Pull]


def _pulls(request: Request) -> Pulls:
    found: Pulls = request.app.state.pulls
    return found


All = Annotated[Pulls, Depends(_pulls)]


@router.get("")
async def list_pulls(pulls: All) -> PullList:
    """All sources that are pulled from, by name."""
    return PullList(items=await pulls.many())


@router.get("/{source:segment}")
async def get_pull(pulls: All, source: bodies.SourceName) -> Pull:
    return await pulls.one(source)


@router.post("/{source:segment}:run", status_code=202)
async def run_pull(
    pulls: All,
    source: bodies.SourceName,
    full: Annotated[bool, Query(description="Everything, not only what changed")] = False,
) -> Pull:
    """Pull as soon as possible; 409 while the imports of the last pull go on."""
    return await pulls.ask(source, full)
