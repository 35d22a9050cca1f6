"""Servers as docker compose runs them: Kafka and PostgreSQL that know their clients.

They are started by the scripts of `deploy/`, with programs of this machine in the place of the
images' own.
"""

import contextlib
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from nastavnik_local.jars import jars, java
from nastavnik_local.keeper import Keeper
from nastavnik_local.ports import free_port
from nastavnik_local.postgres import LocalPostgres
from nastavnik_local.postgres_home import programs
from nastavnik_local.processes import Child

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SERVICES = ("registry", "activity", "metrics")
_JVM = "-Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
_PROGRAMS = {"kafka-storage": "kafka.tools.StorageTool", "kafka-server-start": "kafka.Kafka"}


class Guarded:
    """Where the servers are, and what a client needs to be let in."""

    def __init__(self, keeper: Keeper, postgres: LocalPostgres, kafka_port: int) -> None:
        self.keeper = keeper
        self._postgres = postgres
        self.bootstrap = f"127.0.0.1:{kafka_port}"
        self.certificates = keeper.root / "certificates"
        self.ca = self.certificates / "ca.pem"

    def database(self, name: str, role: str) -> str:
        return self._postgres.dsn(name).replace("postgres@", f"{role}@")

    def kafka(self, user: str) -> dict[str, str]:
        """The environment of a client, its password in a file."""
        secret = self.keeper.root / f"{user}.password"
        secret.write_text(f"{user}-secret\n")
        return {
            "NASTAVNIK_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "NASTAVNIK_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "NASTAVNIK_KAFKA_USERNAME": user,
            "NASTAVNIK_KAFKA_PASSWORD_FILE": str(secret),
            "NASTAVNIK_KAFKA_CA_FILE": str(self.ca),
            "NASTAVNIK_KAFKA_SESSION_TIMEOUT_MS": "3000",
        }

    def run(self, name: str, module: str, *argv: str, env: Mapping[str, str]) -> Child:
        return self.keeper.start(name, [sys.executable, "-m", module, *argv], env=env)


@contextlib.contextmanager
def guarded(root: Path) -> Iterator[Guarded]:
    with Keeper.open(root) as keeper:
        postgres = LocalPostgres(keeper, fsync=False, databases=())
        postgres.launch()
        made = Guarded(keeper, postgres, free_port())
        broker = _kafka(made)
        postgres.wait_ready()
        _databases(postgres)
        _answers(made, broker)
        yield made


def _databases(postgres: LocalPostgres) -> None:
    host = postgres.dsn("postgres").split("host=")[1].replace("%2F", "/")
    passwords = {
        f"{name.upper()}_DB{owner}_PASSWORD": f"{name}-secret"
        for name in SERVICES
        for owner in ("", "_OWNER")
    }
    path = f"{programs()}:{os.environ['PATH']}"
    env = {**passwords, "PATH": path, "PGHOST": host, "POSTGRES_USER": "postgres"}
    script = DEPLOY / "docker" / "postgres-init.sh"
    subprocess.run([script], env=env, check=True, timeout=60, capture_output=True)


def _kafka(made: Guarded) -> Child:
    made.certificates.mkdir()
    script = DEPLOY / "kafka" / "certificates.py"
    subprocess.run(
        [sys.executable, script, made.certificates, "127.0.0.1", "localhost"], check=True
    )
    _, port = made.bootstrap.split(":")
    users = {f"KAFKA_{name.upper()}_PASSWORD": f"{name}-secret" for name in (*SERVICES, "reader")}
    env = {
        **users,
        "KAFKA_ADMIN_PASSWORD": "admin-secret",
        "KAFKA_CLUSTER_ID": "7H2HJsnkRYen8VI0zxOTJQ",
        "KAFKA_HOME": str(_home(made.keeper)),
        "KAFKA_DATA": str(made.keeper.root / "kafka-data"),
        "KAFKA_CERTIFICATES": str(made.certificates),
        "KAFKA_HOST": "localhost",
        "KAFKA_PORT": str(free_port()),
        "KAFKA_OUTSIDE_PORT": port,
        "KAFKA_CONTROLLER_PORT": str(free_port()),
    }
    return made.keeper.start("kafka", ["sh", str(DEPLOY / "kafka" / "start.sh")], env=env)


def _home(keeper: Keeper) -> Path:
    """What the image has in /opt/kafka/bin, of the jars fetched here."""
    found = jars(keeper, lambda _: None)
    home = keeper.root / "opt"
    (home / "bin").mkdir(parents=True)
    for name, main in _PROGRAMS.items():
        program = home / "bin" / f"{name}.sh"
        program.write_text(f"#!/bin/sh\nexec '{java()}' {_JVM} -cp '{found}/*' {main} \"$@\"\n")
        program.chmod(0o755)
    return home


def _answers(made: Guarded, broker: Child, seconds: float = 60) -> None:
    """Until it completes a TLS handshake with a certificate that our authority signed."""
    context = ssl.create_default_context(cafile=made.ca)
    host, port = made.bootstrap.split(":")
    deadline = time.monotonic() + seconds
    while True:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((host, int(port)), 2) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return
        assert broker.exit_code is None, broker.log_tail()
        assert time.monotonic() < deadline, broker.log_tail()
        time.sleep(0.1)
