"""OAuth2 client credentials (RFC 6749 §4.4) for httpx: a token is fetched when there is none, or
when the provider says no to the one there is."""

import time
from collections.abc import AsyncGenerator

import httpx
import msgspec

from nastavnik_registry.pulling.config import PullSource
from nastavnik_registry.pulling.errors import BusyError, PullError

_EARLY = 30.0  # seconds before its end that a token is not used any more


class _Token(msgspec.Struct):
    access_token: str
    expires_in: float = 3600


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
        try:
            basic = httpx.BasicAuth(source.client_id, source.secret())
        except (OSError, KeyError):
            raise PullError("pull.secret_missing") from None
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
