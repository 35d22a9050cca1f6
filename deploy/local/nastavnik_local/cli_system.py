"""Everything on this machine: servers, migrations, the three services; down again at the end."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nastavnik_local import tokens
from nastavnik_local.console import say
from nastavnik_local.errors import LaunchError
from nastavnik_local.ports import free_port
from nastavnik_local.scenario_api import Urls
from nastavnik_local.servers import LocalServers
from nastavnik_local.supervisor import Service, Supervisor, sigterm_as_exit, supervisor

SERVICES = ("registry", "activity", "metrics")
_MIGRATION = 120.0


class Ports(msgspec.Struct, frozen=True):
    """0: any free one."""

    registry: int = 8001
    activity: int = 8002
    metrics: int = 8003
    kafka: int = 9092


class System(msgspec.Struct, frozen=True):
    """What is up, and where."""

    urls: Urls
    bootstrap: str
    flavour: str
    token: str
    supervisor: Supervisor


class MigrationError(LaunchError):
    """A service's database could not be brought up to date."""


@contextlib.contextmanager
def system(root: Path, ports: Ports, *, fsync: bool = True) -> Iterator[System]:
    """Start all of it under the data root. SIGTERM unwinds the block as Ctrl-C does."""
    with (
        sigterm_as_exit(),
        LocalServers.start(root, kafka_port=ports.kafka, fsync=fsync, say=say) as servers,
        supervisor(servers, say) as services,
    ):
        say(f"PostgreSQL and Kafka ({servers.kafka.flavour}) are up, logs in {root / 'logs'}")
        _migrate(servers)
        chosen = {name: getattr(ports, name) or free_port() for name in SERVICES}
        services.start([_service(name, chosen[name], servers) for name in SERVICES])
        urls = Urls(**{name: service.service.url for name, service in services.services.items()})
        token = tokens.everything(tokens.keys(root))
        yield System(urls, servers.kafka.bootstrap, servers.kafka.flavour, token, services)


def _migrate(servers: LocalServers) -> None:
    children = {
        name: servers.keeper.start(
            f"{name}-migrate", _python(name, "migrate"), env=_environment(name, 0, servers)
        )
        for name in SERVICES
    }
    for name, child in children.items():
        if child.wait(_MIGRATION):
            raise MigrationError(f"{name}: the migration failed\n{child.log_tail()}")


def _service(name: str, port: int, servers: LocalServers) -> Service:
    return Service(name, _python(name, "serve"), port, _environment(name, port, servers))


def _python(name: str, command: str) -> list[str]:
    return [sys.executable, "-m", f"nastavnik_{name}", command]


def _environment(name: str, port: int, servers: LocalServers) -> dict[str, str]:
    return {
        "NASTAVNIK_DATABASE_URL": servers.postgres.dsn(name),
        "NASTAVNIK_KAFKA_BOOTSTRAP_SERVERS": servers.kafka.bootstrap,
        "NASTAVNIK_KAFKA_IDEMPOTENCE": str(servers.kafka.idempotent).lower(),
        "NASTAVNIK_PORT": str(port),
        "NASTAVNIK_AUTH": "development",
        "NASTAVNIK_AUTH_KEYS": str(tokens.keys(servers.keeper.root)),
        "NASTAVNIK_IMPORT_DIR": str(servers.keeper.root / "imports"),
    }


def places(urls: Urls) -> str:
    """Where to look, for the terminal."""
    return "\n".join(
        [
            *(f"  {name:9} docs {url}/docs" for name, url in msgspec.structs.asdict(urls).items()),
            f"  figures   {urls.metrics}/indicators",
            f"  stream    {urls.metrics}/stream",
            f"  metrics   {urls.metrics}/metrics (Prometheus; the other services alike)",
        ]
    )
