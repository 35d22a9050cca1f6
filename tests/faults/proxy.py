"""A wire between a service and a server that can be cut, silenced one way or both, or slowed.

    with Wires() as wires:
        wire = wires.add(lambda: asyncio.open_connection("127.0.0.1", 5432))
        wire.cut(); wire.silence(); wire.delay(0.2); wire.restore()

It lives in a thread with a loop of its own, so that a test may block. A silent wire keeps what it
was given and hands it over when restored, as TCP does when packets get through again; and like a
partition it keeps the news of a closed connection from the other side.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]
LOOPBACK = "127.0.0.1"


class Wire:
    """One listening port in front of one server. Made by `Wires.add`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connect: Connect) -> None:
        self._loop = loop
        self._connect = connect
        self._open = {"up": asyncio.Event(), "down": asyncio.Event()}
        self._refused = False
        self._delay = 0.0
        self._writers: set[asyncio.StreamWriter] = set()
        self._dead: list[object] = []
        self._lost = asyncio.Event()  # set once the connections of now are lost
        self.port = 0

    async def listen(self, port: int) -> None:
        for gate in self._open.values():
            gate.set()
        server = await asyncio.start_server(self._serve, LOOPBACK, port)
        self.port = server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Reset every connection, and every new one at once."""
        self._call(self._cut)

    def silence(self, *ways: str) -> None:
        """Let nothing through: `up` to the server, `down` to the client, or both. New connections
        are accepted and nobody answers."""
        self._call(lambda: self._silence(ways or tuple(self._open)))

    def lose(self) -> None:
        """Half-open: the connections of now are dead and neither side is ever told; new ones work,
        as after a failover or when a firewall has forgotten them."""
        self._call(self._lose)

    def delay(self, seconds: float) -> None:
        """Hold every piece back for so long."""
        self._call(lambda: setattr(self, "_delay", seconds))

    def restore(self) -> None:
        self._call(self._restore)

    def _call(self, what: Callable[[], object]) -> None:
        async def there() -> None:
            what()

        asyncio.run_coroutine_threadsafe(there(), self._loop).result(10)

    def _cut(self) -> None:
        self._refused = True
        for writer in self._writers:
            writer.transport.abort()

    def _silence(self, ways: tuple[str, ...]) -> None:
        for way in ways:
            self._open[way].clear()

    def _lose(self) -> None:
        self._lost.set()
        self._lost = asyncio.Event()

    def _restore(self) -> None:
        self._refused, self._delay = False, 0.0
        for gate in self._open.values():
            gate.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refused:
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            await self._open["up"].wait()  # the server hears nothing of it before
            far_reader, far_writer = await self._connect()
        except OSError:
            self._drop(writer)
            return
        self._writers.add(far_writer)
        lost = self._lost
        pumps = [
            asyncio.create_task(self._pump("up", reader, far_writer)),
            asyncio.create_task(self._pump("down", far_reader, writer)),
        ]
        losing = asyncio.create_task(lost.wait())
        both = asyncio.gather(*pumps)
        await asyncio.wait((both, losing), return_when=asyncio.FIRST_COMPLETED)
        losing.cancel()
        if lost.is_set():
            both.cancel()
            self._dead.append((reader, writer, far_reader, far_writer))  # open, and nobody listens

    async def _pump(
        self, way: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if self._delay:
                    await asyncio.sleep(self._delay)
                await self._open[way].wait()
                sink.write(data)
                await sink.drain()
        await self._open[way].wait()
        self._drop(sink)

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.close()


class Wires:
    """A thread that carries wires while the block lasts."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda *_: None)  # of aborted connections
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Wires":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def add(self, connect: Connect, port: int = 0) -> Wire:
        """A new wire on that port (0: any free one)."""
        wire = Wire(self._loop, connect)
        self._run(wire.listen(port))
        return wire

    def _run(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def to_port(port: int) -> Connect:
    return lambda: asyncio.open_connection(LOOPBACK, port, family=socket.AF_INET)


def to_socket(path: str) -> Connect:
    return lambda: asyncio.open_unix_connection(path)
