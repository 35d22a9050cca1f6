"""The public HTTP API of the three services, as the scenario uses it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from nastavnik_local.tokens import headers

_PATIENCE = 60.0  # seconds a service may be away: it is started again meanwhile
_TIMEOUT = httpx.Timeout(120.0, connect=5.0)
_NDJSON = {"content-type": "application/x-ndjson"}
_AWAY = (429, 502, 503, 504)

Json = dict[str, Any]


class ScenarioError(RuntimeError):
    """A service answered what it should not have. The message is meant for the terminal."""


class Urls(msgspec.Struct, frozen=True):
    registry: str
    activity: str
    metrics: str


class Answer(msgspec.Struct, frozen=True):
    """`code` is the problem's, empty when there is none."""

    status: int
    body: Json
    code: str = ""


class Line(msgspec.Struct, frozen=True):
    """The outcome of one line of a batch: created, unchanged or error with the problem's code."""

    status: str
    code: str = ""
    detail: str = ""


class Api:
    """Each call waits out a service that is away: all of them are safe to repeat."""

    def __init__(self, clients: Mapping[str, httpx.AsyncClient]) -> None:
        self._clients = clients

    @classmethod
    @contextlib.asynccontextmanager
    async def connect(cls, urls: Urls, token: str | None = None) -> AsyncIterator["Api"]:
        """With the token given, or that of the environment."""
        async with contextlib.AsyncExitStack() as stack:
            clients = {}
            for name, url in msgspec.structs.asdict(urls).items():
                client = httpx.AsyncClient(
                    base_url=url, timeout=_TIMEOUT, trust_env=False, headers=headers(token)
                )
                clients[name] = await stack.enter_async_context(client)
            yield cls(clients)

    def client(self, service: str) -> httpx.AsyncClient:
        return self._clients[service]

    async def get(self, service: str, path: str, **query: str) -> Answer:
        return _answer(await self._send(service, "GET", path, params=query))

    async def send(
        self, service: str, method: str, path: str, body: Json, *, allow: Sequence[str] = ()
    ) -> Answer:
        """POST or PATCH; a problem whose code `allow` does not name is a ScenarioError."""
        answer = _answer(await self._send(service, method, path, json=body))
        if answer.code and answer.code not in allow:
            detail = answer.body.get("detail", "")
            errors = answer.body.get("errors", "")
            raise ScenarioError(f"{method} {service} {path}: {answer.code}: {detail} {errors}")
        return answer

    async def upload(self, path: Path, query: Mapping[str, str]) -> Json:
        """POST /imports with a package as the body; returns the import."""
        content = await asyncio.to_thread(path.read_bytes)
        headers = {"content-type": "application/zip"}
        sent = await self._send(
            "registry", "POST", "/imports", params=query, content=content, headers=headers
        )
        answer = _answer(sent)
        if answer.code:
            raise ScenarioError(f"{path.name}: {answer.code}: {answer.body.get('detail')}")
        return answer.body

    async def batch(self, path: str, lines: Sequence[bytes]) -> list[Line]:
        """POST a batch to activity; one outcome per line, in order."""
        answer = await self._send(
            "activity", "POST", path, content=b"\n".join(lines) + b"\n", headers=_NDJSON
        )
        if answer.status_code != httpx.codes.OK:
            raise ScenarioError(f"{path}: {answer.status_code} {answer.text[:500]}")
        found = [_line(msgspec.json.decode(line)) for line in answer.content.splitlines() if line]
        if len(found) != len(lines):
            raise ScenarioError(f"{path}: {len(lines)} lines sent, {len(found)} answered")
        return found

    async def _send(self, service: str, method: str, path: str, **request: Any) -> httpx.Response:
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        delay = 0.1
        while True:
            late = asyncio.get_running_loop().time() > deadline
            try:
                answer = await self._clients[service].request(method, path, **request)
                if answer.status_code not in _AWAY or late:
                    return answer
            except httpx.TransportError as error:
                if late:
                    raise ScenarioError(f"{service} does not answer: {error!r}") from error
            await asyncio.sleep(delay)
            delay = min(delay * 2, 2.0)


def _answer(response: httpx.Response) -> Answer:
    try:
        body = response.json() if response.content else {}
    except ValueError:
        body = {"detail": response.text[:300]}
    body = body if isinstance(body, dict) else {"items": body}
    if response.is_success:
        return Answer(response.status_code, body)
    return Answer(response.status_code, body, body.get("code", f"http.{response.status_code}"))


def _line(answer: Json) -> Line:
    problem = answer.get("problem") or {}
    return Line(answer["status"], problem.get("code", ""), problem.get("detail", ""))
