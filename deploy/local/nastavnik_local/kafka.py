"""Kafka for this machine: the one named, else Apache Kafka, else a demonstration broker."""

import os
import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from nastavnik_local.brokers import ApacheKafka, KafkaError, Tansu
from nastavnik_local.jars import NoApacheKafkaError, jars, java
from nastavnik_local.keeper import Keeper
from nastavnik_local.local_server import LocalServer
from nastavnik_local.ports import LOOPBACK

EXTERNAL = "KAFKA_BOOTSTRAP_SERVERS"
REQUIRE_APACHE = "REQUIRE_APACHE_KAFKA"

Flavour = Literal["apache", "tansu", "external"]

DEMONSTRATION = (
    "WARNING: {why}.\n"
    "Using the Tansu broker instead, in memory only: no compaction, no idempotent producer, and "
    "everything is lost when it stops. Good for a demonstration, for nothing else. For the real "
    f"one install a JDK 17 and Maven, or name a broker in {EXTERNAL}."
)


class Kafka(Protocol):
    """A broker. `idempotent`: whether it accepts an idempotent producer."""

    @property
    def bootstrap(self) -> str: ...
    @property
    def flavour(self) -> Flavour: ...
    @property
    def idempotent(self) -> bool: ...


class ExternalKafka:
    """A broker somebody else runs, taken to be Apache Kafka."""

    flavour: Flavour = "external"
    idempotent = True

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap


class LocalKafka(LocalServer):
    """Our own broker on a fixed port."""

    def __init__(
        self, broker: ApacheKafka | Tansu, port: int, detours: Mapping[int, int] | None = None
    ) -> None:
        self._broker = broker
        self._port = port
        self._detours = detours

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self._port}"

    @property
    def flavour(self) -> Flavour:
        return "apache" if isinstance(self._broker, ApacheKafka) else "tansu"

    @property
    def idempotent(self) -> bool:
        return self._broker.idempotent

    def launch(self) -> None:
        self._child = self._broker.launch(self._port, self._detours)

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Until a client is told of a live broker."""
        deadline = time.monotonic() + timeout
        while not _has_broker(self._port):
            if self.child.exit_code is not None or time.monotonic() > deadline:
                raise KafkaError(f"Kafka did not start:\n{self.child.log_tail()}")
            time.sleep(0.05)


def choose(keeper: Keeper, say: Callable[[str], None]) -> ApacheKafka | Tansu:
    """Apache Kafka where it can run; else Tansu with a warning, or an error if that is asked."""
    try:
        return ApacheKafka(keeper, java(), jars(keeper, say))
    except NoApacheKafkaError as error:
        why = f"Apache Kafka cannot run here: {error}"
        if os.environ.get(REQUIRE_APACHE, "") not in ("", "0"):
            raise KafkaError(f"{why} ({REQUIRE_APACHE} is set)") from error
        say(DEMONSTRATION.format(why=why))
        return Tansu(keeper)


def _has_broker(port: int) -> bool:
    """Ask for metadata of no topic (API 3, version 1): an open port alone proves little.

    Kafka's acceptor binds long before requests are served, and a broker is not in its own
    metadata until the controller has let it in.
    """
    request = struct.pack("!hhih", 3, 1, 1, -1) + struct.pack("!i", 0)
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2.0) as connection:
            connection.sendall(struct.pack("!i", len(request)) + request)
            answer = connection.recv(12, socket.MSG_WAITALL)  # size, correlation, broker count
    except OSError:
        return False
    return len(answer) == 12 and struct.unpack("!i", answer[8:])[0] > 0
