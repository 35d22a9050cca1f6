"""A OneRoster provider of the tests, independent of what pulls from it and of what we serve: rows
that change while they are read, rate limits, failures, tokens that expire."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

OLD = "2026-01-10T08:00:00.000Z"
BASE = "https://sis.example.org/ims/oneroster/rostering/v1p2"
Row = dict[str, Any]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class FakeProvider:
    """`tables`: rows by id, in the order of an unsorted answer. `before`: called with the number of
    each request for a page before it is answered. `answers`: statuses given instead, in turn."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Row]] = {"orgs": {}, "users": {}, "demographics": {}}
        self.before: Callable[[int], None] = lambda number: None
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.sorts = self.filters = self.totals = True
        self.largest = 1000
        self.secret = "s3cret"
        self.tokens: list[str] = []
        self.valid: set[str] = set()

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        routes = [
            Route("/token", self._token, methods=["POST"]),
            Route("/ims/oneroster/rostering/v1p2/{name}", self._page),
        ]
        return httpx.ASGITransport(Starlette(routes=routes))

    def org(self, ident: str, kind: str = "school", parent: str = "", **more: Any) -> None:
        row = {"name": f"Школа {ident}", "type": kind, "identifier": ident, **more}
        if parent:
            row["parent"] = {"sourcedId": parent, "type": "org", "href": f"{BASE}/orgs/{parent}"}
        self.put("orgs", ident, row)

    def user(self, ident: str, org: str = "s1", role: str = "student", **more: Any) -> None:
        at = {"sourcedId": org, "type": "org", "href": f"{BASE}/orgs/{org}"}
        roles = [{"roleType": "primary", "role": role, "org": at}]
        names = {"givenName": "Анна", "familyName": "Иванова", "enabledUser": "true"}
        self.put("users", ident, {**names, "roles": roles, **more})

    def put(self, table: str, ident: str, row: Row) -> None:
        base = {"sourcedId": ident, "status": "active", "dateLastModified": OLD}
        self.tables[table][ident] = {**base, **row}

    def change(self, table: str, ident: str, **values: Any) -> None:
        self.tables[table][ident] |= {"dateLastModified": now(), **values}

    async def _token(self, request: Request) -> Response:
        form = (await request.body()).decode()
        if request.headers["authorization"] != httpx_basic("nastavnik", self.secret):
            return JSONResponse({"error": "invalid_client"}, 401)
        assert "grant_type=client_credentials" in form
        assert "roster-core.readonly" in form
        self.tokens.append(f"token-{len(self.tokens)}")
        self.valid = {self.tokens[-1]}
        return JSONResponse({"access_token": self.tokens[-1], "expires_in": 3600})

    async def _page(self, request: Request) -> Response:
        name, params = request.path_params["name"], dict(request.query_params)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.valid:
            return JSONResponse({"imsx_codeMajor": "failure"}, 401)
        self.requests.append((name, params))
        self.before(len(self.requests))
        if self.answers:
            status, headers = self.answers.pop(0)
            if status != 200:
                return JSONResponse({"imsx_codeMajor": "failure"}, status, headers)
        if ("sort" in params and not self.sorts) or ("filter" in params and not self.filters):
            return JSONResponse({"imsx_codeMajor": "failure"}, 400)
        found = self._found(name, params)
        offset = int(params["offset"])
        page = found[offset : offset + min(int(params["limit"]), self.largest)]
        headers = {"date": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")}
        if self.totals:
            headers["x-total-count"] = str(len(found))
        return JSONResponse({name: page}, headers=headers)

    def _found(self, name: str, params: dict[str, str]) -> list[Row]:
        found = list(self.tables[name].values())
        if "filter" in params:
            match = re.fullmatch(r"dateLastModified>='(.+)'", params["filter"])
            assert match is not None
            found = [row for row in found if row["dateLastModified"] >= match[1]]
        if "sort" in params:
            found.sort(key=lambda row: (row[params["sort"]], row["sourcedId"]))
        return found


def httpx_basic(user: str, password: str) -> str:
    request = httpx.Request("GET", BASE)
    return str(next(httpx.BasicAuth(user, password).auth_flow(request)).headers["authorization"])
