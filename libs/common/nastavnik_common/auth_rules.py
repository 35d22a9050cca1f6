"""Who may use which route: one table a service, in its ``access`` module. What is not listed is
refused.

A rule names the roles, and how it is found which units the request concerns. These must lie in the
subtrees in which the caller has one of the roles, as the tree is now. What is asked for by its id
and lies elsewhere is not found, so that nobody learns that it exists; what would be written into
elsewhere is ``out_of_scope``.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import msgspec
from fastapi import FastAPI, Request, routing

from nastavnik_common.auth import Role
from nastavnik_common.auth_scope import Reach, out_of_scope
from nastavnik_common.errors import DomainError, NotFoundError


class Places(Protocol):
    """What a service knows of where things are."""

    async def below(self, roots: Collection[UUID]) -> frozenset[UUID]:
        """The units and all below them today."""
        ...

    async def above(self, roots: Collection[UUID]) -> frozenset[UUID]:
        """The units and all above them today."""
        ...

    async def units(self, kind: str, ident: UUID) -> frozenset[UUID] | None:
        """Those that the record belongs to, empty: to everybody; None when there is none."""
        ...


@dataclass(frozen=True)
class Asking:
    """A request that is being judged."""

    request: Request
    places: Places
    reach: Reach
    roots: frozenset[UUID] | None

    async def body(self) -> Mapping[str, Any]:
        """Empty when there is none that is an object: the route itself will say so."""
        try:
            found = msgspec.json.decode(await self.request.body())
        except (msgspec.DecodeError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


class Concern(Protocol):
    """How the units that a request concerns are found. Raises DomainError if they are out of
    reach; not called where everything is within reach."""

    async def __call__(self, asking: Asking) -> None: ...


@dataclass(frozen=True)
class Anywhere:
    """It concerns no unit: what is told is the same for all."""

    async def __call__(self, asking: Asking) -> None:
        pass


@dataclass(frozen=True)
class Everywhere:
    """It concerns all units: a grant for a part is not enough."""

    async def __call__(self, asking: Asking) -> None:
        detail = "This concerns the whole tree; your grants are for parts of it."
        raise DomainError("scope_too_narrow", detail, status=403)


@dataclass(frozen=True)
class Listed:
    """The query leaves out what is out of reach. A unit asked for that is, gives nothing."""

    async def __call__(self, asking: Asking) -> None:
        pass


@dataclass(frozen=True)
class Record:
    """The record of a kind that the path names. It is enough that one of the units that it
    belongs to is within reach, unless it is to be removed from `all` of them, or moved by a
    `field` of the body."""

    kind: str
    parameter: str = "id"
    all: bool = False
    field: str | None = None

    async def __call__(self, asking: Asking) -> None:
        ident = uuid(asking.request.path_params.get(self.parameter))
        if ident is None:
            return
        units = await asking.places.units(self.kind, ident)
        if units is None:
            return
        if not any(map(asking.reach.covers, units)):
            raise NotFoundError(self.kind, ident)
        whole = self.all or (self.field is not None and self.field in await asking.body())
        if whole and not all(map(asking.reach.covers, units)):
            raise out_of_scope()


@dataclass(frozen=True)
class Unit:
    """The unit that the path or the query names. With `published` figures that are suppressed for
    publication may also be those of units above."""

    parameter: str = "unit"
    published: bool = False

    async def __call__(self, asking: Asking) -> None:
        given = asking.request.path_params.get(self.parameter)
        ident = uuid(given or asking.request.query_params.get(self.parameter))
        if ident is None or asking.reach.covers(ident):
            return
        published = self.published and _public(asking.request)
        if published and ident in await asking.places.above(asking.roots or ()):
            return
        raise NotFoundError("unit", ident)


@dataclass(frozen=True)
class Named:
    """Units that fields of the body name. An element of a list is named ``list.field``. Without
    one the record would concern everybody: then it is out of reach."""

    fields: tuple[str, ...]
    needed: bool = True

    async def __call__(self, asking: Asking) -> None:
        body = await asking.body()
        found = [value for field in self.fields for value in _values(body, field.split("."))]
        units = [ident for value in found if (ident := uuid(value)) is not None]
        if not all(map(asking.reach.covers, units)) or (self.needed and not found):
            raise out_of_scope()


@dataclass(frozen=True)
class About:
    """The record of a kind that a field of the body names: what is written belongs to it."""

    field: str
    kind: str

    async def __call__(self, asking: Asking) -> None:
        ident = uuid((await asking.body()).get(self.field))
        if ident is None:
            return
        units = await asking.places.units(self.kind, ident)
        if units is not None and not any(map(asking.reach.covers, units)):
            raise out_of_scope()


@dataclass(frozen=True)
class Lines:
    """Every line of a batch by itself: the route looks, and refuses lines, not the batch."""

    async def __call__(self, asking: Asking) -> None:
        pass


@dataclass(frozen=True)
class Rule:
    """`roles` empty: anybody, even without a token."""

    roles: frozenset[Role]
    concerns: tuple[Concern, ...] = ()

    @property
    def public(self) -> bool:
        return not self.roles


Access = Mapping[tuple[str, str], Rule]
"""(method, path template) → rule."""

PUBLIC = Rule(frozenset())
COMMON: Access = {
    (method, path): PUBLIC
    for path, methods in {
        "/healthz": ["GET"],
        "/readyz": ["GET"],
        "/metrics": ["GET"],
        "/asyncapi.json": ["GET"],
        "/asyncapi": ["GET"],
        "/schemas/{name}": ["GET"],
        "/openapi.json": ["GET", "HEAD"],
        "/docs": ["GET", "HEAD"],
        "/docs/oauth2-redirect": ["GET", "HEAD"],
        "/redoc": ["GET", "HEAD"],
    }.items()
    for method in methods
}
"""What every service serves without a token: nothing of it is about a person or a place."""


def allow(roles: Iterable[Role], *concerns: Concern) -> Rule:
    """A rule says what it concerns, be it nothing."""
    if not concerns:
        raise ValueError("a rule needs a concern")
    return Rule(frozenset(roles), concerns)


def routes(app: FastAPI) -> set[tuple[str, str]]:
    """(method, path template) of every route of the application."""
    found = set()
    for context in routing.iter_route_contexts(app.routes):
        path = getattr(context.original_route, "path_format", None) or str(context.path)
        found |= {(method, path) for method in context.methods or {"*"}}
    return found


def unlisted(app: FastAPI, access: Access) -> set[tuple[str, str]]:
    """Routes without a rule. Rules without a route are no danger, and may be ahead of it."""
    return routes(app) - set(access)


def uuid(value: Any) -> UUID | None:
    """What is no id is left for the route to refuse."""
    try:
        return UUID(str(value)) if value is not None else None
    except ValueError:
        return None


def _public(request: Request) -> bool:
    return request.query_params.get("public", "").lower() in ("true", "1", "on", "yes")


def _values(node: Any, path: list[str]) -> list[Any]:
    """Those at the path, in all elements of lists on the way; nulls are none."""
    if isinstance(node, list):
        return [value for each in node for value in _values(each, path)]
    if not path:
        return [] if node is None else [node]
    return _values(node.get(path[0]), path[1:]) if isinstance(node, dict) else []
