"""One trace, from the request through the event to the batch that counts it; off by default."""

import subprocess
import sys
import time
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
import structlog
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from sqlalchemy import MetaData

from nastavnik_common import tracing
from nastavnik_common.events import PARTICIPANT
from nastavnik_common.events.envelope import parse
from nastavnik_common.middleware import Instrumentation
from nastavnik_common.outbox import Outbox, outbox_table
from nastavnik_common.settings import Settings

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GIVEN = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield exporter
    tracing.use(None)


def service() -> FastAPI:
    """Answers with the headers of an event that the request causes."""
    app = FastAPI()
    settings = Settings(database_url="postgresql+asyncpg://localhost/none")
    app.add_middleware(Instrumentation, settings=settings, registry=CollectorRegistry())
    outbox = Outbox(outbox_table(MetaData()), settings.schema_base_url)

    @app.delete("/participants/{ident}")
    async def delete(ident: str) -> dict[str, str | None]:
        event = outbox.tombstone(PARTICIPANT, uuid4(), 2)
        bound = structlog.contextvars.get_contextvars().get("trace_id")
        return {
            "traceparent": parse(event.envelope.headers()).traceparent,
            "logged": bound,
        }

    return app


async def ask(traceparent: str | None) -> dict[str, str | None]:
    headers = {} if traceparent is None else {"traceparent": traceparent}
    transport = httpx.ASGITransport(app=service())
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        answer = await client.delete("/participants/1", headers=headers)
    found: dict[str, str | None] = answer.json()
    return found


async def test_a_request_its_event_and_its_batch_are_one_trace(
    spans: InMemorySpanExporter,
) -> None:
    found = await ask(GIVEN)
    assert found["logged"] == TRACE
    caused = found["traceparent"]
    assert caused is not None
    tracing.record("fold", time.time() - 1, {caused}, records=1)
    request, fold = spans.get_finished_spans()
    assert request.name == "DELETE /participants/{ident}"
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" in GIVEN
    assert fold.parent is not None
    assert fold.parent.span_id == request.context.span_id
    assert {f"{span.context.trace_id:032x}" for span in (request, fold)} == {TRACE}
    assert fold.attributes == {"records": 1}


async def test_a_request_without_a_context_begins_a_trace(spans: InMemorySpanExporter) -> None:
    found = await ask(None)
    [span] = spans.get_finished_spans()
    assert span.parent is None
    assert found["logged"] == f"{span.context.trace_id:032x}"


@pytest.mark.parametrize("wrong", ["", "00-0-0-00", f"{GIVEN}-more", GIVEN.upper()])
async def test_a_malformed_context_is_not_taken_over(
    spans: InMemorySpanExporter, wrong: str
) -> None:
    await ask(wrong)
    [span] = spans.get_finished_spans()
    assert span.parent is None


async def test_where_it_is_off_a_clients_context_is_passed_on_and_nothing_sent() -> None:
    assert await ask(GIVEN) == {"traceparent": GIVEN, "logged": TRACE}
    assert await ask(None) == {"traceparent": None, "logged": None}


def test_it_is_not_even_imported_unless_it_is_asked_for() -> None:
    code = (
        "import sys; from nastavnik_common import logs, tracing; tracing.configure(None, 'x');"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
