"""Routes that all records have: read, void, delete."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.api.bodies import VoidBody
from nastavnik_activity.api.service import Wired
from nastavnik_activity.api.views import Deleted
from nastavnik_activity.commands import records as commands
from nastavnik_activity.queries import records as queries
from nastavnik_activity.tables import Sort
from nastavnik_common.writing import Reply, if_match


@dataclass(frozen=True)
class Noun:
    """Where the records of a kind live, and how they look."""

    path: str
    sort: Sort[Any]
    view: type[BaseModel]
    of: Callable[[Any], BaseModel]

    def reply(self, state: Any, *, created: bool = False) -> Reply:
        where: dict[str, Any] = (
            {"status": 201, "location": f"{self.path}/{state.id}"} if created else {}
        )
        return Reply(self.of(state), version=state.version, **where)


def add_routes(router: APIRouter, noun: Noun) -> None:
    name, path = noun.sort.kind.name, f"{noun.path}/{{id:record}}"

    @router.get(path, response_model=noun.view, name=f"get_{name}")
    async def read(id: UUID, response: Response, service: Wired) -> BaseModel:
        async with service.sessions() as tx:
            state = await queries.one(tx, noun.sort, id)
        response.headers["etag"] = f'"{state.version}"'
        return noun.of(state)

    @router.post(f"{path}:void", response_model=noun.view, name=f"void_{name}")
    async def void(
        id: UUID, request: Request, service: Wired, body: VoidBody | None = None
    ) -> Response:
        """It does not count after all. Voiding twice changes nothing."""

        async def action(tx: AsyncSession) -> Reply:
            reason, wanted = body.reason if body else None, if_match(request)
            return noun.reply(
                await commands.void(tx, service.outbox, noun.sort, id, reason, wanted)
            )

        return await service.write(request, action)

    @router.delete(path, response_model=Deleted, name=f"delete_{name}")
    async def delete(id: UUID, request: Request, service: Wired) -> Response:
        """It should never have been recorded."""

        async def action(tx: AsyncSession) -> Reply:
            await commands.delete(tx, service.outbox, noun.sort, id, if_match(request))
            return Reply(Deleted(id=id))

        return await service.write(request, action)
