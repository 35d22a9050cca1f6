"""What is said in the logs of an error nobody expected: where it happened, and nothing personal."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
import structlog
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import DBAPIError

from nastavnik_common import db, http, logs
from nastavnik_common.auth import Role
from nastavnik_common.auth_places import Tree
from nastavnik_common.auth_rules import Anywhere, allow
from nastavnik_common.settings import Settings
from tests import tokens

NAME = "Соколова"
SETTINGS = Settings(database_url="postgresql+asyncpg://localhost/none")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """What has been logged so far; logging is as it was afterwards."""
    handlers, level = logging.root.handlers[:], logging.root.level
    stream = io.StringIO()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stream)
        logs.configure(SETTINGS, "registry")
    yield stream.getvalue
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def from_driver() -> None:
    raise asyncpg.DataError(f"invalid input for query argument $1: '{NAME}'")


def from_postgres() -> None:
    raise asyncpg.UniqueViolationError(f"Key (family_name)=({NAME}) already exists.")


def from_sqlalchemy() -> None:
    raise DBAPIError("insert …", {"family_name": NAME}, ValueError(NAME))


def handed_on() -> None:
    try:
        from_driver()
    except asyncpg.DataError as error:
        raise RuntimeError(f"not written: {error}") from error


def in_a_group() -> None:
    try:
        from_postgres()
    except asyncpg.PostgresError as error:
        raise ExceptionGroup(f"all of it: {error}", [ValueError(NAME), error]) from None


def service(fault: Callable[[], None]) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> Any:
        yield

    app = http.create_app(
        service="registry",
        title="Any",
        description="",
        settings=SETTINGS,
        registry=CollectorRegistry(),
        checks={},
        lifespan=lifespan,
        access={("GET", "/fault"): allow(Role, Anywhere())},
        places=Tree(db.create_sessions(db.create_engine(SETTINGS)), ""),
    )
    app.add_api_route("/fault", fault)
    return app


async def answer(fault: Callable[[], None]) -> httpx.Response:
    transport = httpx.ASGITransport(service(fault), raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://registry", headers=tokens.allowed()
    ) as client:
        return await client.get("/fault")


@pytest.mark.parametrize(
    "fault", [from_driver, from_postgres, from_sqlalchemy, handed_on, in_a_group]
)
async def test_an_error_of_the_database_quotes_no_value(
    said: Callable[[], str], fault: Callable[[], None]
) -> None:
    response = await answer(fault)
    try:
        fault()
    except Exception:
        # as the server does with what comes out of the application
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    text = said()
    assert NAME not in text
    assert NAME not in response.text
    entries = [json.loads(line) for line in text.splitlines() if '"exception"' in line]
    assert [e["event"] for e in entries][-1] == "Exception in ASGI application"
    for entry in entries:
        frames = [frame["name"] for stack in entry["exception"] for frame in stack["frames"]]
        assert fault.__name__ in frames
        assert all(stack["exc_type"] for stack in entry["exception"])


async def test_any_other_error_says_what_it_is_about(said: Callable[[], str]) -> None:
    def fault() -> None:
        raise KeyError("no such column in the catalogue")

    assert (await answer(fault)).json()["code"] == "internal.error"
    (entry,) = [json.loads(line) for line in said().splitlines() if "unexpected" in line]
    assert "no such column" in entry["exception"][0]["exc_value"]


async def test_what_a_request_does_is_said_with_who_makes_it(said: Callable[[], str]) -> None:
    def asked() -> None:
        logs.logger("any").info("asked to rebuild")

    assert (await answer(asked)).status_code == 200
    entries = [json.loads(line) for line in said().splitlines()]
    whose = {e["event"]: e.get("actor") for e in entries}
    assert whose["asked to rebuild"] == whose["request"] == tokens.actor()
    assert tokens.allowed()["authorization"].split(".")[1] not in said()
