"""Pulls over HTTP: how far they are, and pull now. Sources are configured in a file."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from starlette.convertors import StringConvertor, register_url_convertor

from nastavnik_registry import bodies
from nastavnik_registry.pulling.pulls import Pull, Pulls

router = APIRouter(prefix="/pulls", tags=["pulls"])


class _Name(StringConvertor):
    """A name in a path: without the colon, which begins the name of an action."""

    regex = "[^/:]+"


register_url_convertor("pull", _Name())


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


@router.get("/{source:pull}")
async def get_pull(pulls: All, source: bodies.SourceName) -> Pull:
    return await pulls.one(source)


@router.post("/{source:pull}:run", status_code=202)
async def run_pull(
    pulls: All,
    source: bodies.SourceName,
    full: Annotated[bool, Query(description="Everything, not only what changed")] = False,
) -> Pull:
    """Pull as soon as possible; 409 while the imports of the last pull go on."""
    return await pulls.ask(source, full)
