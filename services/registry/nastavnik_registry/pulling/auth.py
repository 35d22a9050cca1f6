"""Bearer tokens for httpx: one that lasts, or by OAuth2 client credentials (RFC 6749 §4.4), fetched
when there is none and when the provider says no to the one there is."""

import time
from collections.abc import AsyncGenerator, Generator

import httpx
import msgspec

from nastavnik_registry.pulling.config import PullSource, secret
from nastavnik_registry.pulling.errors import BusyError, PullError

_EARLY = 30.0  # seconds before its end that a token is not used any more


class _Token(msgspec.Struct):
    access_token: str
    expires_in: float = 3600


def auth_of(source: PullSource) -> httpx.Auth | None:
    if source.token_url:
        return ClientCredentials(source)
    return Lasting(source.token) if source.token else None


class Lasting(httpx.Auth):
    def __init__(self, place: str) -> None:
        self._place = place

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers["authorization"] = f"Bearer {secret(self._place)}"
        yield request


class ClientCredentials(httpx.Auth):
    def __init__(self, source: PullSource) -> None:
        self._source = source
        self._token = ""
        self._until = 0.0

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        fresh = not self._token or time.monotonic() >= self._until
        if fresh:
            await self._accept((yield self._asking()))
        request.headers["authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code == 401 and not fresh:
            await self._accept((yield self._asking()))
            request.headers["authorization"] = f"Bearer {self._token}"
            yield request

    def _asking(self) -> httpx.Request:
        source = self._source
        basic = httpx.BasicAuth(source.client_id, secret(source.client_secret or ""))
        form = {"grant_type": "client_credentials", "scope": " ".join(source.scopes)}
        request = httpx.Request("POST", source.token_url or "", data=form)
        return next(basic.auth_flow(request))

    async def _accept(self, response: httpx.Response) -> None:
        body = await response.aread()
        if response.status_code == 429 or response.status_code >= 500:
            raise BusyError
        try:
            token = msgspec.json.decode(body, type=_Token) if response.is_success else None
        except msgspec.MsgspecError:
            token = None
        if token is None:
            raise PullError("pull.token_refused")
        self._token = token.access_token
        self._until = time.monotonic() + token.expires_in - _EARLY
