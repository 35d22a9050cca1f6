"""PostgreSQL and Kafka on this machine, for `nastavnik run` and for the tests alike.

    with LocalServers.start(Path(".data")) as servers:
        servers.postgres.dsn("registry"), servers.kafka.bootstrap

On leaving the block everything has stopped; if this process is killed, the warden sees to it.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nastavnik_local import kafka, postgres
from nastavnik_local.errors import LaunchError
from nastavnik_local.kafka import ExternalKafka, LocalKafka
from nastavnik_local.keeper import Keeper
from nastavnik_local.local_server import LocalServer, NotOursError
from nastavnik_local.ports import require_free
from nastavnik_local.postgres import ExternalPostgres, LocalPostgres


class ServerDiedError(LaunchError):
    """A server we run has ended by itself; the message carries the tail of its log."""


def _to_stderr(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class LocalServers:
    """What runs, and the keeper with which more can be started beside it."""

    keeper: Keeper
    postgres: LocalPostgres | ExternalPostgres
    kafka: LocalKafka | ExternalKafka

    @classmethod
    @contextlib.contextmanager
    def start(
        cls,
        root: Path,
        *,
        kafka_port: int = 9092,
        kafka_detours: Mapping[int, int] | None = None,
        fsync: bool = True,
        say: Callable[[str], None] = _to_stderr,
    ) -> Iterator["LocalServers"]:
        """Start both, or use the external ones the environment names.

        `root` keeps the data and logs, and takes one run at a time (`RootBusyError`).
        `kafka_port` 0 takes a free one; a taken one is a `PortBusyError`. `kafka_detours` are for
        proxies: a port that Kafka listens on besides → the port it sends those clients to.
        `fsync=False` is for tests: no commit survives a power cut, though all survive a killed
        server.
        """
        with Keeper.open(root) as keeper:
            broker = _kafka(keeper, kafka_port, kafka_detours, say)
            database = _postgres(keeper, fsync)
            for server in (broker, database):
                if isinstance(server, LocalServer):
                    server.wait_ready()
            yield cls(keeper, database, broker)

    @property
    def own_postgres(self) -> LocalPostgres:
        """The server to kill and restart; `NotOursError` if the environment named another."""
        if isinstance(self.postgres, ExternalPostgres):
            raise NotOursError(f"PostgreSQL is the one of {postgres.EXTERNAL}")
        return self.postgres

    @property
    def own_kafka(self) -> LocalKafka:
        """The broker to kill and restart; `NotOursError` if the environment named another."""
        if isinstance(self.kafka, ExternalKafka):
            raise NotOursError(f"Kafka is the one of {kafka.EXTERNAL}")
        return self.kafka

    def check(self) -> None:
        """`ServerDiedError` if a server of ours has ended without being told to."""
        for server in (self.postgres, self.kafka):
            if isinstance(server, LocalServer):
                child = server.child
                if child.exit_code is not None and not child.told_to_end:
                    raise ServerDiedError(
                        f"{child.command.name} has ended (exit code {child.exit_code}):\n"
                        f"{child.log_tail()}"
                    )


def _kafka(
    keeper: Keeper, port: int, detours: Mapping[int, int] | None, say: Callable[[str], None]
) -> LocalKafka | ExternalKafka:
    if named := os.environ.get(kafka.EXTERNAL):
        return ExternalKafka(named)
    port = require_free(port, "--kafka-port")
    broker = LocalKafka(kafka.choose(keeper, say), port, detours)
    broker.launch()
    return broker


def _postgres(keeper: Keeper, fsync: bool) -> LocalPostgres | ExternalPostgres:
    if template := os.environ.get(postgres.EXTERNAL):
        return ExternalPostgres(template)
    server = LocalPostgres(keeper, fsync=fsync)
    server.launch()
    return server
