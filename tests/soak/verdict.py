"""Whether the system has come back, and in the end whether everything is as it must be."""

import asyncio
from typing import Any

import asyncpg
import httpx
from sqlalchemy.engine import make_url

from nastavnik_local.recount_log import Log
from nastavnik_local.scenario_api import Api
from tests import tokens
from tests.faults.wired import WiredSystem
from tests.soak.load import Told
from tests.system.helpers import (
    NAMES,
    YEAR,
    World,
    readiness,
    until,
    until_exact,
)

PATIENCE = 120.0


class Probe:
    """Writes a person and a session, and waits until every replica of metrics counts both."""

    def __init__(self, system: WiredSystem, api: Api) -> None:
        self._system = system
        self._world = World(api)
        self._sessions = 0

    async def begin(self) -> None:
        await self._world.build(pupils=2, pairs=1)

    async def come_back(self) -> None:
        """Until everything is ready and what is written now is counted. Nobody helps."""
        seen: dict[str, object] = {}

        async def ready() -> bool:
            answers = await asyncio.gather(*(readiness(self._system.url(n)) for n in self._names))
            seen.update(zip(self._names, answers, strict=True))
            return all(answer == (200, {}) for answer in answers)

        async def counted() -> bool:
            found = await asyncio.gather(*map(self._count, self._names))
            seen.update(zip(self._names, found, strict=True))
            wanted = (len(self._world.people), self._sessions)
            return all(f == wanted for f in found if f is not None)

        await until(ready, PATIENCE, lambda: seen)
        await self._world.person()
        await self._world.log(1, start=self._sessions % 100)
        self._sessions += 1
        await until(counted, PATIENCE, lambda: seen)

    @property
    def _names(self) -> tuple[str, ...]:
        return self._system.replicas

    async def _count(self, name: str) -> tuple[int, int] | None:
        """Pupils and sessions as that replica has them; None: it is no replica of metrics."""
        if not name.startswith("metrics"):
            return None
        async with httpx.AsyncClient(
            base_url=self._system.url(name), trust_env=False, headers=tokens.allowed()
        ) as client:
            query = {"unit": self._world.school, "school_year": YEAR}
            found = []
            for code, part in (
                ("coverage.students", "denominator"),
                (
                    "activity.sessions",
                    "numerator",
                ),
            ):
                answer = await client.get(f"/indicators/{code}/values", params=query)
                if answer.status_code != 200:
                    return -1, -1
                found.append(answer.json()["items"][0][part])
            return found[0], found[1]


async def judge(system: WiredSystem, api: Api, told: Told) -> dict[str, Any]:
    """Raises an AssertionError that says what is wrong; else what was found."""
    await _drained(system)
    seen: list[str] = []

    def complete(log: Log) -> bool:
        seen[:] = told.differs(log)
        return not seen

    try:
        log = await until_exact(system, api, complete)
    except AssertionError as error:
        raise AssertionError(f"{error}; acknowledged but not so logged: {seen[:5]}") from error
    metrics = api.client("metrics")
    accounts = (await metrics.post("/admin/accounting")).raise_for_status().json()
    total = {
        name: sum(topic[name] for topic in accounts["topics"])
        for name in ("end", "applied", "superseded", "parked", "skipped", "pending", "absent")
    }
    accounted = total["applied"] + total["superseded"] + total["parked"] + total["pending"]
    assert accounts["closes"], accounts
    assert (total["pending"], total["parked"]) == (0, 0), total
    assert total["end"] == accounted, total
    audit = (await metrics.post("/admin/audit")).raise_for_status().json()
    assert audit["drift"] == 0, audit["differences"]
    return {
        "records produced": total["end"],
        "applied": total["applied"],
        "superseded": total["superseded"],
        "drift": audit["drift"],
        "cells audited": audit["cells"],
        "sessions in the log": len(log.sessions),
        "in doubt": len(told.unknown),
    }


async def _drained(system: WiredSystem) -> None:
    """Until nothing waits in an outbox and every record is read."""
    waiting: dict[str, int] = {}

    async def empty() -> bool:
        for name in NAMES:
            url = make_url(system.servers.postgres.dsn(name))
            connection = await asyncpg.connect(
                host=str(url.query["host"]), user=url.username, database=name
            )
            waiting[name] = await connection.fetchval("select count(*) from outbox")
            await connection.close()
        return not any(waiting.values())

    await until(empty, PATIENCE, lambda: waiting)
