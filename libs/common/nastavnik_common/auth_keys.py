"""Public keys of the token issuer: asked for over HTTP and kept, or read from a file."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec

from nastavnik_common import logs
from nastavnik_common.auth import ProviderAwayError

log = logs.logger(__name__)
MAX_DOCUMENT = 256 * 1024
Jwk = Mapping[str, Any]


class BadDocumentError(Exception):
    """The provider answered what it should not have."""


class RemoteKeys:
    """Of an OpenID provider, found by discovery.

    Read again when they are `fresh_seconds` old, and when a token names a key that is not among
    them, though not more often than every `pause_seconds`: strangers can make up names of keys.
    While the provider is down those known stay good.
    """

    def __init__(
        self,
        issuer: str,
        client: Callable[[], httpx.AsyncClient],
        *,
        fresh_seconds: float = 300,
        pause_seconds: float = 10,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._client = client
        self._fresh, self._pause, self._now = fresh_seconds, pause_seconds, now
        self._keys: dict[str, Jwk] = {}
        self._read_at = self._tried_at = float("-inf")
        self._reading = asyncio.Lock()

    async def find(self, ident: str) -> Jwk | None:
        if self._due(ident):
            async with self._reading:
                if self._due(ident):
                    await self._read()
        if not self._keys:
            raise ProviderAwayError
        return self._keys.get(ident)

    def _due(self, ident: str) -> bool:
        if self._now() - self._tried_at < self._pause:
            return False
        return ident not in self._keys or self._now() - self._read_at >= self._fresh

    async def _read(self) -> None:
        self._tried_at = self._now()
        try:
            async with self._client() as client:
                found = await self._ask(client)
        except (httpx.HTTPError, httpx.InvalidURL, BadDocumentError, OSError) as error:
            log.warning("keys of the token issuer not read", error=type(error).__name__)
            return
        self._keys, self._read_at = found, self._now()

    async def _ask(self, client: httpx.AsyncClient) -> dict[str, Jwk]:
        place = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
        about = await _document(client, place)
        if about.get("issuer") != self._issuer:
            raise BadDocumentError
        place = about.get("jwks_uri", "")
        # keys must not come by a worse way than the issuer is asked by
        secure = self._issuer.startswith("https://")
        if not isinstance(place, str) or (secure and not place.startswith("https://")):
            raise BadDocumentError
        return usable(await _document(client, place))


class FileKeys:
    """Of a JSON Web Key Set in a file, read when first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: dict[str, Jwk] | None = None

    async def find(self, ident: str) -> Jwk | None:
        if self._keys is None:
            try:
                content = await asyncio.to_thread(self._path.read_bytes)
            except OSError as error:
                raise ProviderAwayError from error
            self._keys = usable(msgspec.json.decode(content))
        return self._keys.get(ident)


def usable(document: Any) -> dict[str, Jwk]:
    """Key id → key, of a JSON Web Key Set: those that sign, and are no secrets."""
    keys = document.get("keys", []) if isinstance(document, dict) else []
    return {
        key["kid"]: key
        for key in keys
        if isinstance(key, dict)
        and isinstance(key.get("kid"), str)
        and key.get("kty") in ("RSA", "EC", "OKP")
        and key.get("use", "sig") == "sig"
    }


async def _document(client: httpx.AsyncClient, place: str) -> dict[str, Any]:
    async with client.stream("GET", place) as answer:
        answer.raise_for_status()
        content = b""
        async for chunk in answer.aiter_bytes():
            content += chunk
            if len(content) > MAX_DOCUMENT:
                raise BadDocumentError
    try:
        found = msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise BadDocumentError from error
    if not isinstance(found, dict):
        raise BadDocumentError
    return found
