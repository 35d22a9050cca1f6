"""Services beside the servers; and however a run ends, nothing of it is left."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from nastavnik_local.ports import free_port
from nastavnik_local.servers import LocalServers, ServerDiedError
from nastavnik_local.supervisor import Service, ServiceFailedError, Supervisor, supervisor

HTTP = ("-m", "http.server", "--bind", "127.0.0.1", "--directory")


def wait_until_gone(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those still running afterwards; a zombie that init has yet to reap has ended."""
    deadline = time.monotonic() + seconds
    while left := [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return left


@pytest.fixture
def services(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Supervisor, list[str]]]:
    """A supervisor and what it said; the services here need no servers."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "nowhere:9092")
    monkeypatch.setenv("NASTAVNIK_POSTGRES_DSN", "postgresql+asyncpg://nowhere/{database}")
    said: list[str] = []
    with (
        LocalServers.start(tmp_path_factory.mktemp("root")) as servers,
        supervisor(servers, said.append) as made,
    ):
        yield made, said


def test_a_service_that_dies_is_started_again(
    services: tuple[Supervisor, list[str]], tmp_path: Path
) -> None:
    watching, said = services
    (tmp_path / "readyz").write_text("ready")
    port = free_port()
    argv = [sys.executable, *HTTP, str(tmp_path), str(port)]
    watching.start([Service("web", argv, port)])
    first = watching.services["web"].child.pid
    watching.kill("web")
    while watching.services["web"].child.pid == first:
        watching.check()
        time.sleep(0.1)
    watching.wait_ready("web")
    assert "web ended with exit code -9; starting it again in 1 s" in said[0]
    watching.stop()
    watching.check()
    assert not watching.services["web"].alive


def test_a_service_that_cannot_start_shows_its_log(
    services: tuple[Supervisor, list[str]],
) -> None:
    watching, _ = services
    argv = [sys.executable, "-c", "raise SystemExit('no such setting: COLOUR')"]
    with pytest.raises(ServiceFailedError, match=r"(?s)broken ended.*no such setting: COLOUR"):
        watching.start([Service("broken", argv, free_port())])


def test_a_service_that_is_never_ready_says_what_it_answered(
    services: tuple[Supervisor, list[str]], tmp_path: Path
) -> None:
    watching, _ = services
    port = free_port()
    argv = [sys.executable, *HTTP, str(tmp_path), str(port)]
    with pytest.raises(ServiceFailedError, match=r"empty is not ready after 1 s \(404"):
        watching.start([Service("empty", argv, port, ready_timeout=1.0)])


PARENT = """
import sys, time
from pathlib import Path
from nastavnik_local.servers import LocalServers
with LocalServers.start(Path(sys.argv[1]), kafka_port=0, fsync=False) as servers:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    servers.keeper.start("stubborn", [sys.executable, "-c", stubborn], grace=1.0)
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_run_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        descendants = psutil.Process(parent.pid).children(recursive=True)
        assert len(descendants) > 6  # the warden, java, the postmaster and its children, and ours
        parent.send_signal(number)
        parent.wait(20)
    assert wait_until_gone(descendants, 20) == []
    if number == signal.SIGKILL:  # and blocks nobody: neither the lock nor the pid files
        with LocalServers.start(tmp_path, kafka_port=0, fsync=False):
            pass


def test_a_server_that_dies_by_itself_is_reported(tmp_path: Path) -> None:
    with LocalServers.start(tmp_path, kafka_port=0, fsync=False) as servers:
        psutil.Process(servers.own_postgres.child.pid).send_signal(signal.SIGQUIT)
        servers.own_postgres.child.wait(10)
        with pytest.raises(ServerDiedError, match=r"(?s)postgres has ended.*immediate shutdown"):
            servers.check()
