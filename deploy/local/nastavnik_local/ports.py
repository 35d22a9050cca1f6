"""Loopback ports: is one free, who has it, which one to take instead."""

import errno
import random
import socket

import psutil

from nastavnik_local.errors import LaunchError

LOOPBACK = "127.0.0.1"

# Below the ephemeral ranges of Linux (32768-60999) and macOS (49152-65535), so that no outgoing
# connection of this machine takes the port between our look and the server's bind.
_CANDIDATES = range(20000, 32000)

# A port is given long before a server binds it, and a server that was killed leaves it free until
# it is started again. So what was given stays claimed, for all processes of this machine, until
# the process it was given to ends: by a UDP socket of the same number, which disturbs nobody.
_claims: list[socket.socket] = []


class PortBusyError(LaunchError):
    """A port we were told to use is taken. The message is meant for the person at the terminal."""

    def __init__(self, port: int, option: str, user: str | None) -> None:
        self.port = port
        self.option = option
        self.user = user
        by = f" by {user}" if user else ""
        super().__init__(
            f"port {port} is already in use{by}; stop that, or choose another port with {option}"
        )


def is_free(port: int) -> bool:
    """Whether a server could listen on loopback here: nobody answers and a bind succeeds."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        if probe.connect_ex((LOOPBACK, port)) == 0:
            return False
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # as the servers do, or a connection in TIME_WAIT would look like somebody listening
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def free_port() -> int:
    """A port that is free now, and is given to nobody else while this process lives."""
    for port in random.sample(_CANDIDATES, 200):
        if is_free(port) and _claim(port):
            return port
    raise RuntimeError("no free port between 20000 and 32000")


def _claim(port: int) -> bool:
    claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        claim.bind((LOOPBACK, port))
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True


def require_free(port: int, option: str) -> int:
    """`port` if it is free; any free one for 0. Else `PortBusyError`, naming `option`."""
    if port == 0:
        return free_port()
    if not is_free(port):
        raise PortBusyError(port, option, who_listens(port))
    return port


def who_listens(port: int) -> str | None:
    """`"java (pid 4711)"`, or None where the system does not tell us."""
    for process in psutil.process_iter():
        try:
            for connection in process.net_connections(kind="tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                    return f"{process.name()} (pid {process.pid})"
        except (psutil.Error, OSError):
            continue
    return None
