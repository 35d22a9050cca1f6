"""Every route × every role × inside, outside, everywhere, no token: what the gate says.

Routes are those of the applications, the expectation follows from the access tables, and behind the
gate nothing is run: who is let in is told so. A route that no table speaks of fails.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI, Request
from sqlalchemy import Table, insert

import nastavnik_activity.app
import nastavnik_metrics.app
import nastavnik_registry.app
from nastavnik_activity import tables as activity_tables
from nastavnik_common import auth_gate, auth_rules, db
from nastavnik_common.auth import Role
from nastavnik_common.auth_rules import About, Everywhere, Named, Record, Rule, Unit
from nastavnik_common.errors import DomainError
from nastavnik_common.settings import Settings
from nastavnik_metrics import tables as metrics_tables
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_registry.settings import RegistrySettings
from nastavnik_registry.tables.base import Base as RegistryBase
from tests import tokens

SERVICES = ("registry", "activity", "metrics")
INSIDE, OUTSIDE = "inside", "outside"
MUNICIPALITY = {INSIDE: uuid4(), OUTSIDE: uuid4()}
SCHOOL = {INSIDE: uuid4(), OUTSIDE: uuid4()}
REGION = uuid4()
METADATA = {
    "registry": RegistryBase.metadata,
    "activity": activity_tables.Base.metadata,
    "metrics": metrics_tables.Base.metadata,
}
KINDS = {
    "registry": ("participant", "consent", "programme", "target", "reference_count"),
    "activity": (
        "mentorship",
        "session",
        "session_review",
        "survey",
        "assessment",
        "contribution",
        "gathering",
    ),
    "metrics": ("report",),
}


class Opened(NamedTuple):
    app: FastAPI
    client: httpx.AsyncClient
    records: dict[tuple[str, str], UUID]  # (kind, place) → id


@pytest.fixture(scope="module")
def migrated(new_database: Callable[[str], str]) -> dict[str, Settings]:
    made = {name: _settings(name, new_database(f"access_{name}")) for name in SERVICES}
    for name, settings in made.items():
        db.migrate(settings, f"nastavnik_{name}")
    return made


@pytest.fixture(scope="module")
async def opened(migrated: dict[str, Settings]) -> AsyncIterator[dict[str, Opened]]:
    """The three applications on databases with a little tree, and a record of each kind in it."""
    made: dict[str, Opened] = {}
    for name, settings in migrated.items():
        app = _app(name, settings)
        _let_nobody_further(app)
        engine = db.create_engine(settings)
        async with engine.begin() as connection:
            filled = _Filled(METADATA[name].tables)
            for table, row in filled.rows(name):
                await connection.execute(insert(table), row)
        await engine.dispose()
        transport = httpx.ASGITransport(app)
        client = httpx.AsyncClient(transport=transport, base_url=f"http://{name}")
        made[name] = Opened(app, client, filled.records)
    yield made
    for one in made.values():
        await one.client.aclose()


@pytest.mark.parametrize("name", SERVICES)
async def test_the_matrix(opened: dict[str, Opened], name: str) -> None:
    one = opened[name]
    routes = auth_rules.routes(one.app)
    wrong = []
    for method, path in sorted(routes):
        rule: Rule = one.app.state.access[method, path]
        for said, expected in [pair async for pair in _verdicts(one, method, path, rule)]:
            if said[1] != expected:
                wrong.append(f"{method} {path} {said[0]}: {said[1]}, not {expected}")
    assert not wrong, "\n".join(wrong)
    assert len(routes) > 30


@pytest.mark.parametrize("name", SERVICES)
async def test_a_route_without_a_rule_is_refused_and_stops_the_start(
    opened: dict[str, Opened], name: str
) -> None:
    app, client, _ = opened[name]
    assert not auth_rules.unlisted(app, app.state.access)
    count = len(app.router.routes)
    app.add_api_route("/forgotten", lambda: "secret", methods=["GET"])
    try:
        answer = await client.get("/forgotten", headers=tokens.allowed())
        assert (answer.status_code, answer.json()["code"]) == (403, "route_not_listed")
        assert auth_rules.unlisted(app, app.state.access) == {("GET", "/forgotten")}
        with pytest.raises(auth_gate.UnlistedRouteError, match="GET /forgotten"):
            async with app.router.lifespan_context(app):
                pass
    finally:
        del app.router.routes[count:]


async def _verdicts(
    one: Opened, method: str, path: str, rule: Rule
) -> AsyncIterator[tuple[tuple[str, str], str]]:
    """((who and where, what was said), what should be)."""

    async def ask(who: str, where: str, headers: dict[str, str]) -> tuple[str, str]:
        url, query, body = _request(one, path, rule, where)
        answer = await one.client.request(
            method, url, params=query, json=body if method not in ("GET", "HEAD") else None,
            headers=headers,
        )  # fmt: skip
        return f"{who} {where}", _said(method, answer)

    nobody = await ask("nobody", INSIDE, {})
    if rule.public:
        yield nobody, "let_in" if nobody[1] == "let_in" else "served"
        return
    yield nobody, "token_missing"
    for role in Role:
        for where in (INSIDE, OUTSIDE) if role in rule.roles else (OUTSIDE,):
            narrow = TOKENS[role, MUNICIPALITY[INSIDE]]
            yield await ask(role, where, narrow), _expected(rule, role, where)
        wide = TOKENS[role, None]
        yield (
            await ask(f"{role} of all", OUTSIDE, wide),
            "let_in" if role in rule.roles else "role_missing",
        )


ROSTER = {
    (401, "Send a bearer token in the Authorization header."): "token_missing",
    (403, "None of your roles may do this."): "role_missing",
    (403, "This concerns the whole tree; your grants are for parts of it."): "scope_too_narrow",
    (418, "Let in."): "let_in",
}
TOKENS = {
    (role, unit): tokens.headers(role, unit)
    for role in Role
    for unit in (MUNICIPALITY[INSIDE], None)
}


def _expected(rule: Rule, role: Role, where: str) -> str:
    if role not in rule.roles:
        return "role_missing"
    for concern in rule.concerns:
        if isinstance(concern, Everywhere):
            return "scope_too_narrow"
        if where == OUTSIDE and isinstance(concern, Record):
            return f"{concern.kind}.not_found"
        if where == OUTSIDE and isinstance(concern, Unit):
            return "unit.not_found"
        if where == OUTSIDE and isinstance(concern, Named | About):
            return "out_of_scope"
    return "let_in"


def _request(
    one: Opened, path: str, rule: Rule, where: str
) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Path, query and body of a request about what is at the place."""
    query: dict[str, str] = {}
    body: dict[str, Any] = {}
    for concern in rule.concerns:
        if isinstance(concern, Record):
            path = path.replace(f"{{{concern.parameter}}}", str(one.records[concern.kind, where]))
        elif isinstance(concern, Unit):
            path = path.replace(f"{{{concern.parameter}}}", str(SCHOOL[where]))
            query[concern.parameter] = str(SCHOOL[where])
        elif isinstance(concern, About):
            body[concern.field] = str(one.records[concern.kind, where])
        elif isinstance(concern, Named):
            outer, _, inner = concern.fields[0].partition(".")
            unit = str(SCHOOL[where])
            body[outer] = [{inner: unit}] if inner else unit
    return path.replace("{", "").replace("}", ""), query, body


def _said(method: str, answer: httpx.Response) -> str:
    """The problem's code; OneRoster has codes of its own: there the description tells."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if method == "HEAD" or not kind.endswith("json"):
        return "served"
    body = answer.json()
    if "imsx_codeMajor" in body:
        return ROSTER[answer.status_code, body["imsx_description"]]
    return str(body.get("code", "served"))


def _let_nobody_further(app: FastAPI) -> None:
    """Behind the gate stands a problem that says that one has come through."""
    (guard,) = [d.dependency for d in app.router.dependencies]
    assert isinstance(guard, auth_gate.Guard)

    async def stopped(request: Request) -> None:
        await guard(request)
        raise DomainError("let_in", "Let in.", status=418)

    app.dependency_overrides[guard] = stopped


def _settings(name: str, url: str) -> Settings:
    if name == "registry":
        return RegistrySettings(database_url=url)
    return MetricsSettings(database_url=url) if name == "metrics" else Settings(database_url=url)


def _app(name: str, settings: Settings) -> FastAPI:
    if isinstance(settings, RegistrySettings):
        return nastavnik_registry.app.create_app(settings, background=False)
    if isinstance(settings, MetricsSettings):
        return nastavnik_metrics.app.create_app(settings, background=False)
    return nastavnik_activity.app.create_app(settings)


class _Filled:
    """Rows of a tree and of records in it. What the gate does not look at is made up."""

    def __init__(self, known: Any) -> None:
        self.tables: dict[str, Table] = dict(known)
        self.records: dict[tuple[str, str], UUID] = {}

    def rows(self, name: str) -> Iterator[tuple[Table, dict[str, Any]]]:
        tree = dict.fromkeys(MUNICIPALITY.values(), REGION)
        tree |= {SCHOOL[where]: MUNICIPALITY[where] for where in SCHOOL}
        yield from getattr(self, f"_{name}_tree")(tree)
        for where in (INSIDE, OUTSIDE):
            self.records["organization", where] = SCHOOL[where]
            for kind in KINDS[name]:
                ident = self.records[kind, where] = uuid4()
                names = {"id": ident, "organization_id": SCHOOL[where], "unit_id": SCHOOL[where]}
                if kind == "consent":
                    names["participant_id"] = self.records["participant", where]
                yield self._row(kind, **names)
                if kind == "participant":
                    yield self._row(
                        "membership", participant_id=ident, organization_id=SCHOOL[where]
                    )

    def _registry_tree(self, tree: dict[UUID, UUID]) -> Iterator[tuple[Table, dict[str, Any]]]:
        for unit in (REGION, *tree):
            yield self._row("org_unit", id=unit)
        for unit, parent in tree.items():
            yield self._row("placement", unit_id=unit, parent_id=parent)

    def _activity_tree(self, tree: dict[UUID, UUID]) -> Iterator[tuple[Table, dict[str, Any]]]:
        for unit, parent in tree.items():
            arrays = {"parents": [parent], "parents_since": [None], "parents_until": [None]}
            yield self._row("replica_organization", id=unit, **arrays)

    def _metrics_tree(self, tree: dict[UUID, UUID]) -> Iterator[tuple[Table, dict[str, Any]]]:
        for unit, parent in tree.items():
            state = {"placements": [{"parent_id": str(parent), "since": None, "until": None}]}
            yield self._row("organization", id=unit, state=state)

    def _row(self, name: str, **known: Any) -> tuple[Table, dict[str, Any]]:
        table = self.tables[name]
        row = {column: value for column, value in known.items() if column in table.columns}
        for column in table.columns:
            needed = not (column.nullable or column.server_default is not None or column.identity)
            counted = column is table.autoincrement_column
            if needed and not counted and column.name not in row:
                row[column.name] = _anything(column)
        return table, row


def _anything(column: Any) -> Any:
    kind = column.type.__class__.__name__
    made: dict[str, Any] = {
        "ARRAY": [], "JSON": {}, "JSONB": {}, "Boolean": False, "LargeBinary": b"",
        "Date": date(2026, 9, 1), "DateTime": datetime(2026, 9, 1, tzinfo=UTC), "Uuid": uuid4(),
    }  # fmt: skip
    if kind in made:
        return made[kind]
    return 2026 if "Integer" in kind else "x"
