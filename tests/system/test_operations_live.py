"""A real Prometheus scrapes the three services; a real Alertmanager tells whom it may concern."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from nastavnik_common import db
from nastavnik_local.scenario_api import Api
from tests.system.helpers import NAMES, System, World, until
from tests.system.helpers_prometheus import DEPLOY, ROOT, Monitoring, monitoring

MAY_BE_EMPTY = re.compile(
    "mentoring_indicator_drift|audit_last_complete|recount_last_complete"  # not done yet
    '|status="5xx"|nastavnik_indicator_target|part="total"'  # no error, no target, no import
    "|coverage.staff"  # none works here
)


def panels(path: Path) -> Iterator[dict[str, Any]]:
    yield from (p for p in json.loads(path.read_text())["panels"] if p["type"] != "row")


def dashboard_expressions() -> list[str]:
    dashboards = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
    return [t["expr"] for path in dashboards for panel in panels(path) for t in panel["targets"]]


def rule_expressions() -> list[str]:
    paths = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
    groups = [group for path in paths for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def filled_in(expr: str) -> str:
    """As Grafana fills in its variables."""
    return expr.replace("$__rate_interval", "20s").replace("$unit", ".*")


def measured(expr: str) -> str:
    """What an alert measures, without the threshold that it compares it with."""
    return re.sub(r"([<>]|==) [\d.]+\s*$", "", expr.strip())


@pytest.fixture(scope="module")
def watched(running: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitoring]:
    ports = {name: httpx.URL(running.url(name)).port or 0 for name in NAMES}
    with monitoring(tmp_path_factory.mktemp("monitoring"), ports) as made:
        yield made


async def up(watched: Monitoring) -> None:
    async def all_scraped() -> bool:
        try:
            found = await watched.query('sum(up{job="nastavnik"})')
        except (httpx.TransportError, ValueError):
            return False  # it is starting
        return bool(found) and found[0]["value"][1] == str(len(NAMES))

    await until(all_scraped)


async def sessions_logged(api: Api) -> None:
    """Some every second: two scrapes are between them, and that makes a rate. Of so many people
    that none of their figures is suppressed."""
    world = await World(api).build(pupils=24, pairs=6)
    for _ in range(4):
        await world.log(6)
        await asyncio.sleep(1)


async def test_every_expression_finds_what_it_asks_for(watched: Monitoring, api: Api) -> None:
    await up(watched)
    await sessions_logged(api)
    for expr in rule_expressions():
        await watched.query(expr)
    missing = {*dashboard_expressions(), *map(measured, rule_expressions())}

    async def found() -> bool:
        for expr in sorted(missing):
            if await watched.query(filled_in(expr)) or MAY_BE_EMPTY.search(expr):
                missing.discard(expr)
        return not missing

    await until(found, saw=lambda: missing)


async def test_an_induced_lag_reaches_those_on_duty_and_its_end_too(
    running: System, watched: Monitoring, api: Api
) -> None:
    """Somebody holds the projector's positions: it cannot go on, and does not know its lag."""
    await up(watched)
    expected = {"NastavnikConsumerLag": "workday", "NastavnikFiguresLate": "now"}
    world = World(api)
    holder = await db.connect(running.servers.postgres.dsn("metrics"))

    async def heard(status: str) -> bool:
        return all(
            watched.state(alert) == (receiver, status) for alert, receiver in expected.items()
        )

    def saw() -> object:
        return {alert: watched.state(alert) for alert in expected}

    try:
        async with holder.transaction():
            await holder.execute("select 1 from stream_position for update")
            await world.places()
            await until(lambda: heard("firing"), saw=saw)
    finally:
        await holder.close()
    await until(lambda: heard("resolved"), saw=saw)


def looks() -> dict[str, str]:
    """What each runbook tells to look at, as shell."""
    found = {}
    for page in sorted((ROOT / "docs" / "runbooks").glob("Nastavnik*.md")):
        section = page.read_text().split("## Look\n")[1].split("\n## ")[0]
        found[page.stem] = "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))
    return found


async def test_what_runbooks_tell_to_look_at_is_there(
    running: System, api: Api, tmp_path: Path
) -> None:
    """Every command of theirs that changes nothing, one process for each page, all at once."""
    token = api.client("metrics").headers.get("authorization", "")
    (tmp_path / ".curlrc").write_text(f'header = "authorization: {token}"\n')
    usual = {"registry": "8001", "activity": "8002", "metrics": "8003"}

    async def look(commands: str) -> str:
        for name, port in usual.items():
            there = str(httpx.URL(running.url(name)).port)
            commands = re.sub(rf"\b{port}\b", there, commands)
        tool = f"{Path(sys.executable).with_name('nastavnik')} dead-letters list"
        tool += f" --url {running.url('metrics')}"
        script = commands.replace("nastavnik dead-letters list", tool)
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", script),
            stdout=PIPE,
            stderr=STDOUT,
            env={**os.environ, "CURL_HOME": str(tmp_path)},
        )
        said, _ = await process.communicate()
        return "" if process.returncode == 0 and said else f"{script}\n{said.decode()}"

    failed = [found for found in await asyncio.gather(*map(look, looks().values())) if found]
    assert not failed
