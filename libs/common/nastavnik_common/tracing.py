"""Traces: one from the request, through the event it causes, to the batch that counts it.

Off unless NASTAVNIK_TRACES_ENDPOINT says where spans go (OTLP over HTTP) and OpenTelemetry is
installed (the extra `otel`). W3C Trace Context (``traceparent``) travels in the event, by
CloudEvents' distributed tracing extension; a client's is passed on even where this service sends
no spans itself. The trace id is in every log line of the request.
"""

import re
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import structlog

HEADER = "traceparent"
MOST = 20
"""Spans of one batch: with more events than that some go without."""
_W3C = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)
_tracer: Any = None


def configure(endpoint: str | None, service: str) -> None:
    """Once, when a process starts. Without OpenTelemetry an endpoint is an ImportError."""
    if endpoint is None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 -- optional
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource({"service.name": f"nastavnik-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    use(provider)


def use(provider: Any) -> None:
    """Send spans to this provider of OpenTelemetry's; None: send none."""
    global _tracer  # noqa: PLW0603 -- one of the process
    _tracer = provider and provider.get_tracer("nastavnik")


def current() -> str | None:
    """The context that what is caused now belongs to."""
    return _current.get()


class Request:
    """The span of one request, in the context its client sent."""

    def __init__(self, given: str | None) -> None:
        parent = given if given and _W3C.fullmatch(given) else None
        self._span = None if _tracer is None else _tracer.start_span("request", _context(parent))
        told = parent if self._span is None else _told(self._span)
        _current.set(told)
        structlog.contextvars.unbind_contextvars("trace_id")
        if told is not None:
            structlog.contextvars.bind_contextvars(trace_id=told.split("-")[1])

    def end(self, method: str, route: str, status: int) -> None:
        if self._span is not None:
            self._span.update_name(f"{method} {route}")
            self._span.set_attributes(
                {
                    "http.request.method": method,
                    "http.route": route,
                    "http.response.status_code": status,
                }
            )
            self._span.end()


def record(name: str, began: float, parents: Iterable[str], **attributes: int) -> None:
    """A span, from `began` (seconds since the epoch) to now, in each of the given contexts."""
    if _tracer is None:
        return
    for parent in sorted(parents)[:MOST]:
        start = int(began * 1e9)
        span = _tracer.start_span(name, _context(parent), attributes=attributes, start_time=start)
        span.end(time.time_ns())


def _context(traceparent: str | None) -> Any:
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415 -- optional
        TraceContextTextMapPropagator,
    )

    return TraceContextTextMapPropagator().extract({HEADER: traceparent} if traceparent else {})


def _told(span: Any) -> str:
    at = span.get_span_context()
    return f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}"
