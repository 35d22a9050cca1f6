"""What every answer carries, and how much one client may ask for."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, StreamingResponse
from prometheus_client import CollectorRegistry

from nastavnik_common import db, http
from nastavnik_common.auth import Role
from nastavnik_common.auth_places import Tree
from nastavnik_common.auth_rules import Anywhere, allow
from nastavnik_common.paging import MAX_LIMIT
from nastavnik_common.rates import MOST, RateExceededError, Rates
from nastavnik_common.settings import Settings
from tests import tokens

PATHS = ("/quick", "/slow", "/stream", "/page", "/admin/slow")
DOCS = Path(__file__).parents[2] / "docs" / "openapi"


async def never() -> None:
    await asyncio.Event().wait()


def done() -> str:
    return "done"


def worked() -> str:
    return "done"


async def page() -> HTMLResponse:
    return HTMLResponse("<p>Страница</p>")


async def stream() -> StreamingResponse:
    async def parts() -> AsyncIterator[str]:
        yield "a"
        await asyncio.sleep(0.3)
        yield "b"

    return StreamingResponse(parts())


def application(**given: Any) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield

    settings = Settings(database_url="postgresql+asyncpg://localhost/none", **given)
    app = http.create_app(
        service="registry",
        title="Any",
        description="",
        settings=settings,
        registry=CollectorRegistry(),
        checks={},
        lifespan=lifespan,
        access={("GET", path): allow(Role, Anywhere()) for path in PATHS},
        places=Tree(db.create_sessions(db.create_engine(settings)), ""),
    )
    routes = (done, never, stream, page, worked)
    for path, route in zip(PATHS, routes, strict=True):
        app.add_api_route(path, route, response_model=None)
    return app


def client(app: FastAPI, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)
    found = tokens.allowed() if headers is None else headers
    return httpx.AsyncClient(transport=transport, base_url="http://any", headers=found)


async def test_answers_tell_browsers_and_caches_to_keep_their_hands_off() -> None:
    async with client(application()) as asking:
        quick, refused = (
            await asking.get("/quick"),
            await asking.get("/quick", headers={"authorization": "x"}),
        )
        html, docs, health = [await asking.get(p) for p in ("/page", "/docs", "/healthz")]
    for answer in (quick, refused, html, docs, health):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-nastavnik-auth"] == "development"
    assert quick.headers["cache-control"] == refused.headers["cache-control"] == "no-store"
    assert "cache-control" not in health.headers
    assert "script-src" not in html.headers["content-security-policy"]
    assert "script-src" in docs.headers["content-security-policy"]


async def test_other_sites_are_not_let_in() -> None:
    origin = {"origin": "https://elsewhere.example", "access-control-request-method": "GET"}
    async with client(application()) as asking:
        asked = await asking.options("/quick", headers=origin)
        got = await asking.get("/quick", headers=origin)
    assert asked.status_code == 405
    assert not [n for a in (asked, got) for n in a.headers if n.startswith("access-control")]


async def test_readiness_says_that_tokens_are_our_own() -> None:
    async with client(application(), {}) as asking:
        assert (await asking.get("/readyz")).json()["auth"] == "development"


async def test_an_answer_begins_in_time_and_may_then_go_on() -> None:
    async with client(application(request_seconds=0.1)) as asking:
        late = await asking.get("/slow")
        assert (late.status_code, late.json()["code"]) == (503, "request.timeout")
        assert "retry-after" in late.headers
        assert (await asking.get("/stream")).text == "ab"
        assert (await asking.get("/admin/slow")).status_code == 200


async def test_one_client_in_a_hurry_does_not_slow_the_others() -> None:
    app = application(rate_per_second=0.5)
    other = tokens.headers("auditor", sub="somebody else")
    async with client(app) as asking:
        said = [(await asking.get("/quick")).status_code for _ in range(3)]
        last = await asking.get("/quick")
        assert said == [200, 200, 429]
        assert last.json()["code"] == "rate.exceeded"
        assert 1 <= int(last.headers["retry-after"]) <= 2
        assert (await asking.get("/quick", headers=other)).status_code == 200
        assert (await asking.get("/healthz")).status_code == 200


async def test_an_address_that_sends_bad_tokens_is_told_to_wait_and_shuts_nobody_out() -> None:
    app = application(rate_per_second=0.5)
    bad: tuple[dict[str, str], ...] = (
        {},
        {"authorization": "Bearer made.up.token"},
        {"authorization": "x"},
    )
    async with client(app, {}) as asking:
        said = [await asking.get("/quick", headers=headers) for headers in bad]
        assert [answer.status_code for answer in said] == [401, 401, 429]
        assert said[-1].json()["code"] == "rate.exceeded"
        assert 1 <= int(said[-1].headers["retry-after"]) <= 2
        assert (await asking.get("/quick", headers=tokens.allowed())).status_code == 200
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://any") as elsewhere:
        assert (await elsewhere.get("/quick")).status_code == 401


def test_a_bucket_fills_up_again_and_no_further() -> None:
    now = [0.0]
    rates = Rates(2, 4, lambda: now[0])
    for pause, allowed in ((0, 4), (1, 2), (0.5, 1), (1000, 4)):
        now[0] += pause
        for _ in range(allowed):
            rates.spend("a")
        with pytest.raises(RateExceededError):
            rates.spend("a")
    for number in range(MOST):
        rates.spend(f"client {number}")
    rates.spend("a")  # forgotten: its bucket is full again


@pytest.mark.parametrize("name", ["registry", "activity", "metrics"])
def test_no_page_is_larger_than_the_largest(name: str) -> None:
    document = json.loads((DOCS / f"{name}.json").read_text())
    limits = [
        parameter["schema"]
        for path, operations in document["paths"].items()
        if not path.startswith("/ims/")  # the standard has larger ones cut to 5000
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if parameter["name"] == "limit"
    ]
    assert len(limits) > 3
    assert all(schema["maximum"] <= MAX_LIMIT for schema in limits)
