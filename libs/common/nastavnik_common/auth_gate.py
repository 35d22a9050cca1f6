"""The gate in front of every route: no token, no answer; no rule, no answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from nastavnik_common import auth_scope
from nastavnik_common.auth import Actor, ProviderAwayError, TokenError, Verifier
from nastavnik_common.auth_rules import COMMON, Access, Asking, Places, unlisted
from nastavnik_common.auth_scope import Reach
from nastavnik_common.errors import DomainError
from nastavnik_common.rates import RateExceededError, Rates

ACTOR = "nastavnik_actor"
_OPEN = frozenset(path for _, path in COMMON)
_NOTHING = Reach(frozenset())
Answer = Callable[[Scope, DomainError, dict[str, str]], Response]


class UnlistedRouteError(RuntimeError):
    """Routes that no rule speaks of; the service does not start."""

    def __init__(self, found: set[tuple[str, str]]) -> None:
        names = ", ".join(f"{method} {path}" for method, path in sorted(found))
        super().__init__(f"routes without a rule in the access table: {names}")


class Gate:
    """ASGI middleware: whoever has no valid token gets 401, and whoever asks too often 429, before
    the body is read. Requests with bad tokens are counted by the address they come from. A good
    token is never refused for them: behind a proxy all come from one address."""

    def __init__(self, app: ASGIApp, verifier: Verifier, rates: Rates, answer: Answer) -> None:
        self.app = app
        self.verifier = verifier
        self.rates = rates
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_open(scope["path"]):
            await self.app(scope, receive, send)
            return
        structlog.contextvars.unbind_contextvars("actor")
        auth_scope.bind(_NOTHING)
        try:
            actor = await self._actor(scope)
            self.rates.spend(actor.ident)
        except (TokenError, ProviderAwayError, RateExceededError) as error:
            await self.answer(scope, error, challenge(error))(scope, receive, send)
            return
        structlog.contextvars.bind_contextvars(actor=actor.ident)
        scope.setdefault("state", {})[ACTOR] = actor
        await self.app(scope, receive, send)

    async def _actor(self, scope: Scope) -> Actor:
        try:
            return await self.verifier.actor(bearer(Headers(scope=scope)))
        except TokenError:
            host, _ = scope.get("client") or ("", 0)
            self.rates.spend(f"address {host}")
            raise


def is_open(path: str) -> bool:
    """Whether a path is served without a token."""
    return path in _OPEN or path.startswith("/schemas/")


def bearer(headers: Headers) -> str:
    """The token of a request; TokenError when there is none, or more than one."""
    given = headers.getlist("authorization")
    if not given:
        raise TokenError("token_missing", "Send a bearer token in the Authorization header.")
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not token or not token.isascii():
        raise TokenError("token_malformed", "Send one Authorization header: Bearer and a token.")
    return token.strip()


def challenge(error: DomainError) -> dict[str, str]:
    """The headers that go with a refusal (RFC 6750)."""
    if isinstance(error, RateExceededError):
        return {"retry-after": str(error.wait)}
    if error.status != 401:
        return {"retry-after": "5"}
    if error.code == "token_missing":
        return {"www-authenticate": 'Bearer realm="nastavnik"'}
    return {
        "www-authenticate": f'Bearer realm="nastavnik", error="invalid_token", '
        f'error_description="{error.code}"'
    }


@dataclass(frozen=True, eq=False)
class Guard:
    """A dependency of the whole application: judges by the rule of the route that was found."""

    access: Access
    places: Places

    async def __call__(self, request: Request) -> None:
        """DomainError 403, or 404 where not even the existence may be told."""
        route: Any = request.scope.get("route")
        rule = self.access.get((request.method, getattr(route, "path_format", "")))
        if rule is None:
            raise DomainError("route_not_listed", "Nobody may use this route.", status=403)
        if rule.public:
            return
        actor: Actor = request.scope["state"][ACTOR]
        if not actor.has(rule.roles):
            raise DomainError("role_missing", "None of your roles may do this.", status=403)
        roots = actor.roots(rule.roles)
        units = None if roots is None else await self.places.below(roots)
        reach = Reach(units, actor)
        auth_scope.bind(reach)
        if units is None:
            return
        asking = Asking(request, self.places, reach, roots)
        for concern in rule.concerns:
            await concern(asking)


def check(app: FastAPI, access: Access) -> None:
    """UnlistedRouteError when a route has no rule."""
    if found := unlisted(app, access):
        raise UnlistedRouteError(found)
