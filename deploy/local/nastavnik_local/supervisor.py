"""The services as child processes: start, wait until ready, watch, stop.

A service that dies is started again, after 1, 2, 4 … seconds: that is what its orchestrator does
elsewhere, and a crash must not lose a record here either. A service that dies over and over has a
fault that no restart cures: then everything stops, with the end of its log.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

import httpx

from nastavnik_local.errors import LaunchError
from nastavnik_local.ports import LOOPBACK, require_free
from nastavnik_local.processes import Child
from nastavnik_local.servers import LocalServers

MAX_RESTARTS = 5
CALM_SECONDS = 60.0  # a service that ran so long starts with a clean sheet

_RETRY = (httpx.HTTPError, OSError)


class ServiceFailedError(LaunchError):
    """A service never became ready, or died too often. Carries the tail of its log."""

    def __init__(self, name: str, what: str, log_tail: str) -> None:
        self.name = name
        super().__init__(f"{name} {what}; the end of its log:\n{log_tail}")


@dataclass(frozen=True)
class Service:
    """A program that serves HTTP on a loopback port and answers 200 on `ready_path` when ready."""

    name: str
    argv: Sequence[str]
    port: int
    env: Mapping[str, str] = field(default_factory=dict)
    ready_path: str = "/readyz"
    ready_timeout: float = 60.0

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"


@dataclass
class Watched:
    """A service and its running process; `restarts` since it last ran calmly."""

    service: Service
    child: Child
    started: float
    restarts: int = 0
    restart_at: float | None = None

    @property
    def alive(self) -> bool:
        return self.child.exit_code is None


class Supervisor:
    """Runs services beside the servers. They stop before the servers do, in reverse order."""

    def __init__(self, servers: LocalServers, say: Callable[[str], None]) -> None:
        self._servers = servers
        self._say = say
        self._watched: dict[str, Watched] = {}

    @property
    def services(self) -> Mapping[str, Watched]:
        return self._watched

    def start(self, services: Sequence[Service]) -> None:
        """Start all of them, then wait until every one is ready.

        `PortBusyError` before anything starts, `ServiceFailedError` if one dies or stays unready.
        """
        for service in services:
            require_free(service.port, f"--{service.name}-port")
        for service in services:
            self._watched[service.name] = Watched(service, self._spawn(service), time.monotonic())
        for service in services:
            self.wait_ready(service.name)

    def wait_ready(self, name: str) -> None:
        """Poll `ready_path` until it answers 200."""
        watched = self._watched[name]
        service, seen = watched.service, "no answer"
        deadline = time.monotonic() + service.ready_timeout
        with httpx.Client(base_url=service.url, trust_env=False, timeout=5.0) as client:
            while time.monotonic() < deadline:
                if not watched.alive:
                    raise self._failed(watched, f"ended with exit code {watched.child.exit_code}")
                with contextlib.suppress(*_RETRY):
                    answer = client.get(service.ready_path)
                    if answer.status_code == 200:
                        return
                    seen = f"{answer.status_code} {answer.text[:300]}"
                time.sleep(0.1)
        raise self._failed(watched, f"is not ready after {service.ready_timeout:.0f} s ({seen})")

    def check(self) -> None:
        """Look once: restart what died, and raise when that is no use. Call it twice a second.

        Raises `ServiceFailedError`, or `ServerDiedError` for PostgreSQL or Kafka.
        """
        self._servers.check()
        now = time.monotonic()
        for watched in self._watched.values():
            if watched.restart_at is not None:
                if now >= watched.restart_at:
                    self._restart(watched, now)
            elif not watched.alive and not watched.child.told_to_end:
                self._died(watched, now)

    async def watch(self) -> None:
        """`check` for ever."""
        while True:
            self.check()
            await asyncio.sleep(0.5)

    def kill(self, name: str) -> None:
        """SIGKILL, as by a crash: `check` will start it again."""
        self._watched[name].child.kill()
        self._watched[name].child.told_to_end = False

    def stop(self, name: str | None = None) -> None:
        """Stop one service, or all in reverse order; `check` leaves them stopped."""
        chosen = [self._watched[name]] if name else list(reversed(self._watched.values()))
        for watched in chosen:
            watched.restart_at = None
            watched.child.stop()
            watched.child.told_to_end = True

    def _spawn(self, service: Service) -> Child:
        return self._servers.keeper.start(service.name, service.argv, env=service.env)

    def _died(self, watched: Watched, now: float) -> None:
        if now - watched.started > CALM_SECONDS:
            watched.restarts = 0
        if watched.restarts >= MAX_RESTARTS:
            raise self._failed(watched, f"died {watched.restarts + 1} times in a row")
        delay = 2.0**watched.restarts
        watched.restarts += 1
        watched.restart_at = now + delay
        self._say(
            f"{watched.service.name} ended with exit code {watched.child.exit_code}; "
            f"starting it again in {delay:.0f} s ({watched.child.command.log})"
        )

    def _restart(self, watched: Watched, now: float) -> None:
        watched.child, watched.started, watched.restart_at = self._spawn(watched.service), now, None

    def _failed(self, watched: Watched, what: str) -> ServiceFailedError:
        return ServiceFailedError(watched.service.name, what, watched.child.log_tail())


@contextlib.contextmanager
def supervisor(servers: LocalServers, say: Callable[[str], None]) -> Iterator[Supervisor]:
    """A supervisor whose services have stopped when the block is left."""
    made = Supervisor(servers, say)
    try:
        yield made
    finally:
        made.stop()


@contextlib.contextmanager
def sigterm_as_exit() -> Iterator[None]:
    """Within the block SIGTERM unwinds the stack (`SystemExit(143)`), as Ctrl-C does.

    Without it nothing is left behind either (the warden), only our own messages are missing.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
