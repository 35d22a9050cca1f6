"""What our PostgreSQL and our Kafka have in common: they can be crashed and started again."""

from abc import ABC, abstractmethod

from nastavnik_local.errors import LaunchError
from nastavnik_local.processes import Child


class NotOursError(LaunchError):
    """A server named in the environment is not ours to stop."""


class LocalServer(ABC):
    """A server of ours. Its data and its address survive `kill` and `restart`."""

    _child: Child | None = None

    @abstractmethod
    def launch(self) -> None:
        """Start it and return at once; `wait_ready` tells when it answers."""

    @abstractmethod
    def wait_ready(self, timeout: float = 60.0) -> None:
        """Until it serves requests; an error with the tail of its log if it does not."""

    @property
    def child(self) -> Child:
        """Its main process."""
        assert self._child is not None, "it has not been started"
        return self._child

    def kill(self) -> None:
        """SIGKILL to it and all its processes, as by a crash."""
        self.child.kill()

    def pause(self) -> None:
        """Freeze it: connections stay open and nobody answers."""
        self.child.pause()

    def resume(self) -> None:
        self.child.resume()

    def restart(self) -> None:
        """Start it again, whether it runs, hangs or was killed; returns when it serves."""
        self.child.stop()
        self.launch()
        self.wait_ready()
