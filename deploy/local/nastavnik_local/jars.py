"""Apache Kafka's jars, fetched once with Maven from the pinned `deploy/kafka/pom.xml`."""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from nastavnik_local.keeper import Keeper

Say = Callable[[str], None]

CACHE = "NASTAVNIK_CACHE"

_REPOSITORY = Path(__file__).resolve().parents[3]
_POM = _REPOSITORY / "deploy" / "kafka" / "pom.xml"
_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies"
_FETCH_SECONDS = 600.0


class NoApacheKafkaError(RuntimeError):
    """Why Apache Kafka cannot run here."""


def java(minimum: int = 17) -> Path:
    """The `java` of JAVA_HOME, else of PATH, if it is recent enough."""
    home = os.environ.get("JAVA_HOME")
    found = Path(home) / "bin" / "java" if home else shutil.which("java")
    if found is None:
        raise NoApacheKafkaError("there is no Java here (neither JAVA_HOME nor java on PATH)")
    try:
        told = subprocess.run(
            [found, "-version"], capture_output=True, text=True, check=False, timeout=30
        )
    except OSError as error:
        raise NoApacheKafkaError(f"{found} does not run: {error}") from error
    # 'openjdk version "17.0.15" …', 'java version "1.8.0_402"', '"24-ea"'
    version = re.search(r'version "(?:1\.)?(\d+)', told.stderr)
    if told.returncode or version is None:
        raise NoApacheKafkaError(f"{found} -version: {told.stderr.strip() or told.returncode}")
    if int(version[1]) < minimum:
        raise NoApacheKafkaError(f"{found} is Java {version[1]}, Kafka needs {minimum} or later")
    return Path(found)


def jars(keeper: Keeper, say: Say) -> Path:
    """The directory with the jars; fetches them if they are not there yet or the pom changed."""
    if not _POM.exists():
        raise NoApacheKafkaError(f"{_POM} is not there (it is part of the repository)")
    pom = _POM.read_bytes()
    version = re.search(rb"<kafka\.version>([^<]+)<", pom)
    assert version, f"{_POM} names no kafka.version"
    target = _cache() / "kafka" / version[1].decode()
    if _complete(target, pom):
        return target
    with _fetching(target.parent, say):
        if not _complete(target, pom):  # another process may just have done it
            _fetch(keeper, target, pom, say)
    return target


def _cache() -> Path:
    return Path(os.environ.get(CACHE) or _REPOSITORY / ".cache").expanduser().resolve()


def _complete(target: Path, pom: bytes) -> bool:
    """The directory appears whole or not at all, with the pom it was made from."""
    copy = target / "pom.xml"
    return copy.exists() and copy.read_bytes() == pom


def _fetch(keeper: Keeper, target: Path, pom: bytes, say: Say) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise NoApacheKafkaError("mvn, which fetches its jars the first time, is not on PATH")
    say(f"Fetching Apache Kafka {target.name} with Maven (44 MB, once) …")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as scratch:
        new = Path(scratch) / "jars"
        argv = [maven, "-q", "-B", "-C", "-f", str(_POM), _GOAL]
        argv += [f"-DoutputDirectory={new}", "-DincludeScope=runtime"]
        child = keeper.start("maven", argv)
        try:
            code = child.wait(_FETCH_SECONDS)
        except subprocess.TimeoutExpired:
            child.stop()
            raise NoApacheKafkaError(f"Maven took longer than {_FETCH_SECONDS:.0f} s") from None
        if code:
            raise NoApacheKafkaError(f"Maven could not fetch its jars:\n{child.log_tail(8)}")
        (new / "pom.xml").write_bytes(pom)
        shutil.rmtree(target, ignore_errors=True)
        new.rename(target)
    say(f"Apache Kafka {target.name} is in {target}")


@contextlib.contextmanager
def _fetching(directory: Path, say: Say) -> Iterator[None]:
    """One process fetches; the others wait for it."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another process that fetches Apache Kafka …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
