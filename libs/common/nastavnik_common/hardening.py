"""What every answer carries for browsers and caches, and how long a request may take."""

import asyncio
import contextlib
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nastavnik_common.auth_gate import is_open
from nastavnik_common.errors import DomainError
from nastavnik_common.middleware import UNLIMITED

DATA = "default-src 'none'; frame-ancestors 'none'"
PAGE = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Our own pages have no scripts, and take nothing from elsewhere."""
VIEWER = (
    "default-src 'self'; script-src 'unsafe-inline' https:; style-src 'unsafe-inline' https:; "
    "font-src https:; img-src data: https:; worker-src blob:; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""FastAPI's viewers of the OpenAPI document come with scripts from elsewhere."""
_VIEWERS = {"/docs", "/docs/oauth2-redirect", "/redoc"}
_PATIENT = ("/admin/",)
"""Work that an operator asks for may take its time."""
Refuse = Callable[[Scope, DomainError, dict[str, str]], Response]


class Hardening:
    """ASGI middleware. An answer begins within `seconds`, or is 503 ``request.timeout``; what is
    being written then is rolled back. Uploads of any size have no such limit."""

    def __init__(self, app: ASGIApp, *, seconds: float, answer: Refuse, loud: bool) -> None:
        self.app = app
        self.seconds = seconds
        self.answer = answer
        self.loud = loud

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        patient = (*_PATIENT, *getattr(scope["app"].state, UNLIMITED, ()))
        limit = None if scope["path"].startswith(patient) else self.seconds
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                with contextlib.suppress(RuntimeError):  # it expires this very moment
                    clock.reschedule(None)  # what has begun may go on: a file, a stream
                self._add(scope["path"], MutableHeaders(scope=message))
            await send(message)

        try:
            async with asyncio.timeout(limit) as clock:
                await self.app(scope, receive, guarded)
        except TimeoutError:
            if begun or not clock.expired():
                raise
            error = DomainError("request.timeout", "It took too long. Try again.", status=503)
            await self.answer(scope, error, {"retry-after": "5"})(scope, receive, guarded)

    def _add(self, path: str, headers: MutableHeaders) -> None:
        html = headers.get("content-type", "").startswith("text/html")
        page = VIEWER if path in _VIEWERS else PAGE
        headers.setdefault("x-content-type-options", "nosniff")
        headers.setdefault("referrer-policy", "no-referrer")
        headers.setdefault("content-security-policy", page if html else DATA)
        if not is_open(path):
            headers.setdefault("cache-control", "no-store")
        if self.loud:
            headers["x-nastavnik-auth"] = "development"
