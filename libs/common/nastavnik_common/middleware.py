"""One ASGI middleware: correlation id, body limit, request metrics, access log."""

import time
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nastavnik_common import logs, tracing
from nastavnik_common.errors import problem
from nastavnik_common.settings import Settings

log = logs.logger("nastavnik_common.http")
QUIET = {"/healthz", "/readyz", "/metrics"}
UNLIMITED = "nastavnik_unlimited_body"
"""A service whose routes have their own limit sets this on ``app.state`` to their path prefixes."""


class BodyTooLargeError(Exception):
    pass


class Instrumentation:
    def __init__(self, app: ASGIApp, settings: Settings, registry: CollectorRegistry) -> None:
        self.app = app
        self.max_body = settings.max_body_bytes
        self.requests = Counter(
            "nastavnik_http_requests",
            "Requests answered, by the class of their status: 2xx, 4xx …",
            ["method", "route", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "nastavnik_http_request_duration_seconds",
            "Time from the request's arrival to the end of its answer",
            ["method", "route"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=registry,
        )
        self.open = Gauge(
            "nastavnik_http_requests_open", "Requests being answered", registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        structlog.contextvars.unbind_contextvars("correlation_id")
        given = Headers(scope=scope).get(logs.CORRELATION_HEADER)
        correlation = logs.bind_correlation(given if _acceptable(given) else None)
        span = tracing.Request(Headers(scope=scope).get(tracing.HEADER))
        began = time.perf_counter()
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[logs.CORRELATION_HEADER] = correlation
            await send(message)

        try:
            with self.open.track_inprogress():
                await self._limited(scope, receive, answer)
        finally:
            self._record(scope, status, time.perf_counter() - began, span)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        prefixes = getattr(scope["app"].state, UNLIMITED, ()) if "app" in scope else ()
        if any(scope["path"].startswith(prefix) for prefix in prefixes):
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared) > self.max_body:
            await self._refuse(scope, receive, send)
            return
        seen = 0
        started = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.max_body:
                raise BodyTooLargeError
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except BodyTooLargeError:
            if not started:
                await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        document = problem(
            413,
            "body.too_large",
            f"The body may have at most {self.max_body} bytes.",
            instance=scope["path"],
            correlation_id=logs.correlation_id(),
        )
        response = JSONResponse(document, 413, media_type="application/problem+json")
        await response(scope, receive, send)

    def _record(self, scope: Scope, status: int, seconds: float, span: tracing.Request) -> None:
        route: Any = scope.get("route")
        template = getattr(route, "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        span.end(method, template, status)
        self.requests.labels(method, template, f"{status // 100}xx").inc()
        self.seconds.labels(method, template).observe(seconds)
        if template not in QUIET:
            log.info(
                "request",
                method=method,
                route=template,
                status=status,
                milliseconds=round(seconds * 1000, 1),
            )


_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}


def _acceptable(value: str | None) -> bool:
    return value is not None and 0 < len(value) <= 100 and value.isascii() and value.isprintable()
