"""The whole system under test: three services as processes on servers of their own."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx

from nastavnik_common.clock import label, school_year
from nastavnik_local.ports import free_port
from nastavnik_local.processes import Child
from nastavnik_local.recount import recount
from nastavnik_local.recount_compare import compare, served_figures
from nastavnik_local.recount_log import Log
from nastavnik_local.recount_read import read
from nastavnik_local.recount_time import last_whole_month
from nastavnik_local.scenario_api import Api, Urls
from nastavnik_local.servers import LocalServers
from nastavnik_local.supervisor import Service, Supervisor, supervisor
from tests import tokens as _tokens  # noqa: F401 -- it fills the environment

NAMES = ("registry", "activity", "metrics")
DAY = datetime.now(UTC).date() - timedelta(days=1)
YEAR = label(school_year(DAY))
NDJSON = {"content-type": "application/x-ndjson"}
Json = dict[str, Any]
T = TypeVar("T")


class System:
    """Where everything is, and how to break it."""

    def __init__(self, servers: LocalServers, watching: Supervisor) -> None:
        self.servers = servers
        self._watching = watching
        self._ports = {name: free_port() for name in NAMES}
        self.said: list[str] = []

    @property
    def urls(self) -> Urls:
        return Urls(**{name: self.url(name) for name in NAMES})

    @property
    def bootstrap(self) -> str:
        return self.servers.kafka.bootstrap

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._ports[name]}"

    def log(self, name: str) -> list[Json]:
        """What a service has logged, line by line."""
        text = self.servers.keeper.log(name).read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def migrate(self) -> None:
        made = {name: self._run(name, "migrate") for name in NAMES}
        for name, child in made.items():
            assert child.wait(60) == 0, f"{name}: {child.log_tail()}"

    def run(self, name: str, command: str) -> str:
        """Another command of a service, to its end; returns what it printed."""
        child = self._run(name, command)
        assert child.wait(60) == 0, f"{name}: {child.log_tail()}"
        return child.log_tail(1000)

    def start(self, *names: str, ready_path: str = "/readyz") -> None:
        """Start services and wait until they are ready, or whatever `ready_path` says."""
        self._watching.start([self._service(name, ready_path) for name in names or NAMES])

    def wait_ready(self, *names: str) -> None:
        for name in names or NAMES:
            self._watching.wait_ready(name)

    def kill(self, name: str) -> None:
        """SIGKILL, as by a crash. Nobody starts it again."""
        self._watching.kill(name)

    def stop(self, *names: str) -> None:
        for name in names or NAMES:
            self._watching.stop(name)

    def restart(self, name: str) -> None:
        """Start again what was killed or runs; returns when it is ready."""
        self._watching.stop(name)
        self.start(name)

    def child(self, name: str) -> Child:
        return self._watching.services[name].child

    def spare(self, name: str) -> tuple[Child, str]:
        """One more process of a service, on the same database and in the same group."""
        port = free_port()
        return self._run(name, "serve", port, f"{name}-spare"), f"http://127.0.0.1:{port}"

    def _run(self, name: str, command: str, port: int = 0, log: str = "") -> Child:
        argv = [sys.executable, "-m", f"nastavnik_{name}", command]
        env = self._environment(name, port)
        return self.servers.keeper.start(log or f"{name}-{command}", argv, env=env)

    def _service(self, name: str, ready_path: str) -> Service:
        argv = [sys.executable, "-m", f"nastavnik_{name}", "serve"]
        port = self._ports[name]
        return Service(name, argv, port, self._environment(name, port), ready_path)

    def _environment(self, name: str, port: int) -> dict[str, str]:
        return {
            "NASTAVNIK_DATABASE_URL": self.servers.postgres.dsn(name),
            "NASTAVNIK_KAFKA_BOOTSTRAP_SERVERS": self.servers.kafka.bootstrap,
            "NASTAVNIK_KAFKA_IDEMPOTENCE": str(self.servers.kafka.idempotent).lower(),
            # a killed consumer keeps its partitions that long
            "NASTAVNIK_KAFKA_SESSION_TIMEOUT_MS": "3000",
            "NASTAVNIK_PORT": str(port),
            # alerts are to be seen soon
            "NASTAVNIK_READINGS_SECONDS": "0.5",
            "NASTAVNIK_SCHEMA_BASE_URL": f"{self.url('registry')}/schemas",
            "NASTAVNIK_IMPORT_DIR": str(self.servers.keeper.root / "imports"),
        }


@contextlib.contextmanager
def system(root: Path) -> Iterator[System]:
    """Servers and migrated databases; the services are not started yet."""
    with (
        LocalServers.start(root, kafka_port=0, fsync=False) as servers,
        supervisor(servers, lambda _: None) as watching,
    ):
        made = System(servers, watching)
        made.migrate()
        yield made


async def until(
    what: Callable[[], Awaitable[T]], seconds: float = 45, saw: Callable[[], object] = str
) -> T:
    """The first true answer; what was seen last when there is none in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (found := await what()):
        assert asyncio.get_running_loop().time() < deadline, f"not in {seconds} s: {saw()}"
        await asyncio.sleep(0.1)
    return found


class World:
    """A region with a town and a school of its own, made over HTTP."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.region, self.town, self.school = (str(uuid4()) for _ in range(3))
        self.people: list[str] = []
        self.pairs: list[tuple[str, str, str]] = []  # mentorship, mentor, mentee
        self._minutes: dict[str, int] = {}

    @property
    def units(self) -> tuple[str, str, str]:
        return self.school, self.town, self.region

    async def build(self, pupils: int, pairs: int) -> "World":
        await self.places()
        for _ in range(pupils):
            await self.person()
        for number in range(pairs):
            await self.pair(self.people[2 * number], self.people[2 * number + 1])
        return self

    async def places(self) -> None:
        chain = [
            (self.region, "region", {}),
            (self.town, "municipality", {"parent_id": self.region}),
            (self.school, "organization", {"kind": "general", "parent_id": self.town}),
        ]
        for ident, level, more in chain:
            body = {"id": ident, "level": level, "name": f"{level} {ident[:4]}", **more}
            await self.api.send("registry", "POST", "/organizations", body)

    async def person(self) -> str:
        ident = str(uuid4())
        body = {
            "id": ident,
            "family_name": "Белова",
            "given_name": "Анна",
            "birth_date": "2011-03-14",
            "memberships": [{"organization_id": self.school, "kind": "student"}],
        }
        await self.api.send("registry", "POST", "/participants", body)
        self.people.append(ident)
        return ident

    async def pair(self, mentor: str, mentee: str) -> str:
        """Activity learns of the people from events: it answers `….unknown` until then."""
        ident = str(uuid4())
        body = {
            "id": ident,
            "organization_id": self.school,
            "type": "pair",
            "form": "student_student",
            "active_from": str(DAY - timedelta(days=30)),
            "members": [
                {"participant_id": mentor, "role": "mentor"},
                {"participant_id": mentee, "role": "mentee"},
            ],
        }
        unknown = ("participant.unknown", "organization.unknown")

        async def known() -> bool:
            sent = await self.api.send("activity", "POST", "/mentorships", body, allow=unknown)
            return not sent.code

        await until(known)
        self.pairs.append((ident, mentor, mentee))
        return ident

    def meeting(self, number: int, **more: Any) -> Json:
        """The next session of the pair of that number: not at the same time as those before."""
        mentorship, mentor, mentee = self.pairs[number % len(self.pairs)]
        minute = self._minutes.setdefault(mentorship, 0)
        self._minutes[mentorship] += 10
        return {
            "id": str(uuid4()),
            "mentorship_id": mentorship,
            "starts_at": f"{DAY}T{minute // 60:02d}:{minute % 60:02d}:00Z",
            "duration_minutes": 10,
            "attendance": [
                {"participant_id": mentor, "attended": True},
                {"participant_id": mentee, "attended": number % 3 > 0},
            ],
            **more,
        }

    async def log(self, count: int, start: int = 0) -> list[str]:
        """Sessions in batches of twenty; the ids of all. Survives a service that is away."""
        made = [self.meeting(start + number) for number in range(count)]
        for first in range(0, count, 20):
            lines = [json.dumps(body).encode() for body in made[first : first + 20]]
            for line in await self.api.batch("/sessions:batch", lines):
                assert line.status in ("created", "unchanged"), line
        return [body["id"] for body in made]


async def figure(metrics: httpx.AsyncClient, unit: str) -> tuple[int, int] | None:
    """Pupils who take part, of all pupils."""
    query = {"unit": unit, "school_year": YEAR}
    answer = await metrics.get("/indicators/coverage.students/values", params=query)
    if answer.status_code != 200:
        return None
    value = answer.json()["items"][0]
    return value["numerator"], value["denominator"]


async def until_figures(api: Api, units: Sequence[str], wanted: tuple[int, int]) -> None:
    seen: list[tuple[int, int] | None] = []

    async def told() -> bool:
        seen[:] = [await figure(api.client("metrics"), unit) for unit in units]
        return all(value == wanted for value in seen)

    await until(told, saw=lambda: f"{seen}, wanted {wanted}")


async def until_exact(
    running: System, api: Api, complete: Callable[[Log], bool] = lambda _: True
) -> Log:
    """Until the log is complete, and a recount of it says what the API says, cell by cell."""
    seen: list[object] = []

    async def same() -> Log | None:
        log = await read(running.bootstrap)
        if not complete(log):
            seen[:] = [f"the log is not complete: {len(log.sessions)} sessions"]
            return None
        served, watermark = await served_figures(api.client("metrics"), log, YEAR)
        due = last_whole_month(watermark, school_year(DAY))
        figures = recount(log, school_year(DAY), plan_month=due)
        seen[:] = compare(figures, served, log)
        return None if seen or not figures else log

    found = await until(same, saw=lambda: seen[:10])
    assert found is not None
    return found


async def readiness(url: str) -> tuple[int, Mapping[str, str]]:
    """The status of /readyz and the parts that are not well, with the reason; 0: no answer."""
    try:
        async with httpx.AsyncClient(base_url=url, timeout=10, trust_env=False) as client:
            answer = await client.get("/readyz")
    except httpx.TransportError:
        return 0, {}
    checks: dict[str, str] = answer.json()["checks"]
    return answer.status_code, {name: said for name, said in checks.items() if said != "ok"}


async def until_ready(running: System, *names: str) -> None:
    seen: dict[str, object] = {}

    async def ready() -> bool:
        for name in names or NAMES:
            seen[name] = await readiness(running.url(name))
        return all(answer == (200, {}) for answer in seen.values())

    await until(ready, saw=lambda: seen)
