"""The face of every service: health, readiness, metrics, contract documents, problems."""

import asyncio
import contextlib
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from types import FrameType
from typing import Any

import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.exceptions import HTTPException
from starlette.types import Scope

from nastavnik_common import (
    auth_gate,
    auth_rules,
    auth_setup,
    collector,
    contract,
    contract_page,
    db,
    logs,
    openapi,
    tasks,
)
from nastavnik_common.errors import DomainError, FieldError, NotFoundError, Problem, problem
from nastavnik_common.hardening import Hardening
from nastavnik_common.middleware import Instrumentation
from nastavnik_common.rates import Rates
from nastavnik_common.settings import Settings

log = logs.logger(__name__)
Check = Callable[[], Awaitable[None]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
REFUSALS = "nastavnik_refusals"
"""Routes whose errors have a form of their own: a service sets this on ``app.state`` to path prefix
→ function of the error and its headers, for what is refused before a route is found."""
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "A problem document with a stable `code`"}
}


def create_app(
    *,
    service: str,
    title: str,
    description: str,
    settings: Settings,
    registry: CollectorRegistry,
    checks: Mapping[str, Check],
    lifespan: Lifespan,
    access: auth_rules.Access,
    places: auth_rules.Places,
) -> FastAPI:
    """A FastAPI application with all that every service has. `checks` make up /readyz:
    each passes, or raises with the reason why not. `access` says who may use which route; with
    one that it does not speak of the application does not start."""
    rules = {**auth_rules.COMMON, **access}
    verifier = auth_setup.create_verifier(settings)
    app = FastAPI(
        title=title,
        description=description,
        version="0.1.0",
        lifespan=_checked(lifespan, rules),
        responses=PROBLEMS,
        separate_input_output_schemas=False,
        generate_unique_id_function=openapi.operation_id,
        dependencies=[Depends(auth_gate.Guard(rules, places))],
    )
    app.state.access = rules
    rates = Rates(settings.rate_per_second, 4 * settings.rate_per_second)
    app.add_middleware(auth_gate.Gate, verifier=verifier, rates=rates, answer=_refusal)
    app.add_middleware(
        Hardening,
        seconds=settings.request_seconds,
        answer=_refusal,
        loud=settings.auth == "development",
    )
    app.add_middleware(Instrumentation, settings=settings, registry=registry)
    openapi.describe(app, rules)
    _handle_errors(app)
    _add_operations(app, registry, checks, settings.auth)
    _add_contract(app, service)
    return app


def _checked(lifespan: Lifespan, rules: auth_rules.Access) -> Lifespan:
    @contextlib.asynccontextmanager
    async def checked(app: FastAPI) -> AsyncIterator[None]:
        auth_gate.check(app, rules)
        async with lifespan(app):
            yield

    return checked


def _refusal(scope: Scope, error: DomainError, headers: dict[str, str]) -> Response:
    for prefix, answer in getattr(scope["app"].state, REFUSALS, {}).items():
        if scope["path"].startswith(prefix):
            refused: Response = answer(error, headers)
            return refused
    return problem_response(Request(scope), error.status, error.code, error.detail, headers=headers)


def _add_operations(
    app: FastAPI, registry: CollectorRegistry, checks: Mapping[str, Check], auth: str
) -> None:
    @app.get("/healthz", tags=["operations"])
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["operations"], responses={503: {"description": "Not ready"}})
    async def readyz(response: Response) -> dict[str, Any]:
        """Every part this service depends on answers; 503 names those that do not. `auth` is
        `development` where tokens signed on this machine are taken."""
        names = list(checks)
        found = dict(zip(names, await asyncio.gather(*map(_outcome, checks.values())), strict=True))
        ready = all(outcome == "ok" for outcome in found.values())
        response.status_code = 200 if ready else 503
        return {"status": "ready" if ready else "not_ready", "checks": found, "auth": auth}

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


async def _outcome(check: Check) -> str:
    try:
        await asyncio.wait_for(check(), 3)
    except TimeoutError:
        return "no answer in 3 s"
    except Exception as error:
        return str(error) or type(error).__name__
    return "ok"


def _add_contract(app: FastAPI, service: str) -> None:
    document = contract.asyncapi(service)
    readable = contract_page.page(document)
    schemas = contract.schemas()

    @app.get("/asyncapi.json", tags=["contract"])
    async def asyncapi() -> dict[str, Any]:
        """What this service publishes and consumes, as AsyncAPI 3."""
        return document

    @app.get("/asyncapi", response_class=HTMLResponse, include_in_schema=False)
    async def asyncapi_page() -> str:
        """The same to read in a browser."""
        return readable

    @app.get("/schemas/{name}", tags=["contract"])
    async def schema(name: str) -> dict[str, Any]:
        """The JSON Schema that `ce_dataschema` of an event names."""
        if name not in schemas:
            raise NotFoundError("schema", name)
        return schemas[name]


def problem_response(
    request: Request, status: int, code: str, detail: str, **more: Any
) -> Response:
    document = problem(
        status,
        code,
        detail,
        instance=request.url.path,
        correlation_id=logs.correlation_id(),
        errors=more.get("errors", ()),
    )
    return JSONResponse(document, status, media_type=openapi.PROBLEM, headers=more.get("headers"))


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(DomainError)
    async def domain(request: Request, error: DomainError) -> Response:
        return problem_response(
            request, error.status, error.code, error.detail, errors=error.errors
        )

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        found = [_field_error(e) for e in error.errors()]
        if any(e.code == "json_invalid" for e in found):
            return problem_response(
                request, 400, "body.malformed_json", "The body is not JSON.", errors=found
            )
        detail = "The request does not have the form described in /openapi.json."
        return problem_response(request, 422, "request.invalid", detail, errors=found)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        code = {404: "route.not_found", 405: "route.method_not_allowed"}.get(
            error.status_code, f"http.{error.status_code}"
        )
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        if error.status_code == 405:
            headers |= _allow(app, request)
        return problem_response(
            request, error.status_code, code, str(error.detail), headers=headers
        )

    async def database(request: Request, error: Exception) -> Response:
        if not db.is_away(error):
            raise error
        log.warning("database unavailable", error=type(error).__name__)
        detail = "The database does not answer; nothing was changed. Try again."
        return problem_response(
            request, 503, "database.unavailable", detail, headers={"retry-after": "1"}
        )

    # by name: what is handled as any Exception is raised again, for the server to log
    for kind in db.ERRORS:
        app.add_exception_handler(kind, database)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        log.exception("unexpected error", exc_info=error)
        detail = "Something went wrong here; nothing was changed."
        return problem_response(request, 500, "internal.error", detail)


def _allow(app: FastAPI, request: Request) -> dict[str, str]:
    """All methods of the path; the router names only those of the first route that fits."""
    path = getattr(request.scope.get("route"), "path_format", "")
    methods = app.openapi()["paths"].get(path, {})
    return {"allow": ", ".join(sorted(map(str.upper, methods)))} if methods else {}


_NAME = re.compile(r"[a-z]+(_[a-z]+)*", re.ASCII)
"""What fields of ours look like: no e-mail address, number, or name in Russian."""


def _field_error(error: Mapping[str, Any]) -> FieldError:
    """Without the input: it could be personal. So could the name of a field that we do not know."""
    parts = [str(part) for part in error["loc"]]
    if error["type"] == "extra_forbidden" and not _NAME.fullmatch(parts[-1]):
        parts[-1] = "?"
    location = ".".join(parts)
    return FieldError(location=location, code=error["type"], message=error["msg"])


class _Server(uvicorn.Server):
    """Says in ``app.state.ending`` that it was asked to end: endless answers look, and end."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.config.app.state.ending = True  # type: ignore[union-attr]
        super().handle_exit(sig, frame)


def serve(app: FastAPI, settings: Settings) -> None:
    """Run until SIGTERM; open requests are answered first. The exit code is 0 then, or 1 when a
    background task ended by itself and took the process along."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    # the server raises the signal anew when it has ended
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(int(tasks.failed)))
    collector.relax()
    server = _Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(3)
