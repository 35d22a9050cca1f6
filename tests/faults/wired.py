"""The whole system with a wire of its own between every process and each of its servers."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy.engine import make_url

from nastavnik_common import db
from nastavnik_common.settings import Settings
from nastavnik_local.ports import free_port
from nastavnik_local.servers import LocalServers
from nastavnik_local.supervisor import Service, Supervisor, supervisor
from tests.faults.proxy import Wire, Wires, to_port, to_socket
from tests.system.helpers import NAMES, System

REPLICAS = ("registry", "activity", "activity-2", "metrics", "metrics-2")
SERVERS = ("kafka", "postgres")
# A statement may last so long in these systems: half-open connections are noticed after it.
STATEMENT_SECONDS = 5


class WiredSystem(System):
    """`wires[replica, server]`. Replicas are started and killed by their name."""

    def __init__(
        self,
        servers: LocalServers,
        watching: Supervisor,
        wires: Mapping[tuple[str, str], Wire],
        replicas: tuple[str, ...],
    ) -> None:
        super().__init__(servers, watching)
        self.wires = wires
        self.replicas = replicas
        self._ports |= {name: free_port() for name in replicas if name not in self._ports}

    def start(self, *names: str, ready_path: str = "/readyz") -> None:
        super().start(*(names or self.replicas), ready_path=ready_path)

    def wait_ready(self, *names: str) -> None:
        super().wait_ready(*(names or self.replicas))

    def migrate(self) -> None:
        """In this process: starting three takes as long as all of it."""
        for name in NAMES:
            db.migrate(Settings(database_url=self.servers.postgres.dsn(name)), f"nastavnik_{name}")

    def heal(self) -> None:
        for wire in self.wires.values():
            wire.restore()

    def environment(self, name: str) -> dict[str, str]:
        """For a process that stands in for a service: its servers, without wires."""
        return self._environment(name, 0)

    def _service(self, name: str, ready_path: str) -> Service:
        module = name.split("-", maxsplit=1)[0]
        made = super()._service(module, ready_path)
        port = self._ports[name]
        env = {**made.env, "NASTAVNIK_PORT": str(port), **self._detour(name, module)}
        return dataclasses.replace(made, name=name, port=port, env=env, ready_timeout=150)

    def _detour(self, name: str, module: str) -> dict[str, str]:
        database = self.wires[name, "postgres"].port
        return {
            "NASTAVNIK_DATABASE_URL": f"postgresql+asyncpg://postgres@127.0.0.1:{database}/{module}",
            "NASTAVNIK_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self.wires[name, 'kafka'].port}",
            "NASTAVNIK_DATABASE_TIMEOUT_SECONDS": str(STATEMENT_SECONDS),
            "NASTAVNIK_SCAN_TIMEOUT_SECONDS": str(2 * STATEMENT_SECONDS),
            "NASTAVNIK_KAFKA_REQUEST_TIMEOUT_MS": "6000",
        }


@contextlib.contextmanager
def wired(root: Path, replicas: tuple[str, ...] = REPLICAS) -> Iterator[WiredSystem]:
    """Servers, wires and migrated databases; the services are not started yet."""
    with contextlib.ExitStack() as stack:
        carrier = stack.enter_context(Wires())
        behind = {name: free_port() for name in replicas}
        wires = {(name, "kafka"): carrier.add(to_port(behind[name])) for name in replicas}
        detours = {behind[name]: wires[name, "kafka"].port for name in replicas}
        servers = stack.enter_context(
            LocalServers.start(root, kafka_port=0, kafka_detours=detours, fsync=False)
        )
        host = make_url(servers.own_postgres.dsn("registry")).query["host"]
        path = f"{host}/.s.PGSQL.5432"
        wires |= {(name, "postgres"): carrier.add(to_socket(path)) for name in replicas}
        watching = stack.enter_context(supervisor(servers, lambda _: None))
        made = WiredSystem(servers, watching, wires, replicas)
        made.migrate()
        yield made
