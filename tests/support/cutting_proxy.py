"""A bad line: a TCP proxy between a client and a server that cuts, stalls, throttles and refuses on command.

    async with CuttingProxy("127.0.0.1", server_port) as line:
        line.cut_after(down=0)          # the server's next byte never arrives: an answer lost on its way
        await line.was_cut()

"Up" is from client to server. Everything is counted and decided for all connections together, in the loop that the
test runs in; nothing happens by chance or by the clock but `throttle`, whose purpose it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from types import TracebackType
from typing import Final, Literal, Self

How = Literal["reset", "close"]
Which = Literal["up", "down"]

_CHUNK: Final = 32 * 1024
_SLICES_A_SECOND: Final = 20
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class _Direction:
    """Bytes one way: how many passed, how many may still pass, whether any may."""

    def __init__(self) -> None:
        self.passed = 0
        self.allowance: int | None = None
        self.flowing = asyncio.Event()
        self.flowing.set()


class _Pair:
    """One client's connection and the one made for it to the server."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.near = near
        self.far = far

    def end(self, how: How) -> None:
        for writer in (self.near, self.far):
            if how == "reset":
                # Linger 0: closing sends RST, so that neither side takes it for an orderly end.
                found = writer.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                writer.transport.abort()
            else:
                writer.close()


class CuttingProxy:
    """Listens on a free port of 127.0.0.1 while its `async with` lasts."""

    def __init__(self, host: str, port: int) -> None:
        """`host`, `port`: the server behind it."""
        self._target = (host, port)
        self._directions: dict[Which, _Direction] = {"up": _Direction(), "down": _Direction()}
        self._how: How = "reset"
        self._rate: int | None = None
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()
        self._listener: asyncio.Server | None = None
        self.port = 0
        self.accepted = 0
        """connections taken so far"""
        self.cuts = 0
        """connections cut so far by `cut_after`"""

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()
        self.drop()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def up(self) -> int:
        """Bytes that reached the server."""
        return self._directions["up"].passed

    @property
    def down(self) -> int:
        """Bytes that reached the clients."""
        return self._directions["down"].passed

    @property
    def open(self) -> int:
        """Connections that stand."""
        return len(self._pairs)

    def lead_to(self, port: int) -> None:
        """The server was restarted elsewhere: connections from now on go there."""
        self._target = (self._target[0], port)

    # Doing harm

    def cut_after(self, *, up: int | None = None, down: int | None = None, how: How = "reset") -> None:
        """Once: let so many more bytes pass that way, then cut the connection they came on. With 0 the next byte does
        not pass. A second call replaces the first; without arguments it takes it back."""
        self._directions["up"].allowance = up
        self._directions["down"].allowance = down
        self._how = how

    def stall(self, *which: Which) -> None:
        """Half-open: nothing passes, nothing is read, nobody is told. Both ways if none is named."""
        for name in which or ("up", "down"):
            self._directions[name].flowing.clear()

    def flow(self) -> None:
        """The end of `stall`: what waited passes."""
        for direction in self._directions.values():
            direction.flowing.set()

    def throttle(self, bytes_per_second: int | None) -> None:
        """A weak signal, each way and for each connection; None ends it."""
        self._rate = bytes_per_second

    def drop(self, how: How = "reset") -> None:
        """Cut every connection that stands."""
        for pair in tuple(self._pairs):
            pair.end(how)

    async def refuse(self) -> None:
        """Take no more connections (ECONNREFUSED). Those that stand stay."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def accept(self) -> None:
        """Take connections again, on the same port."""
        if self._listener is None:
            listening = socket.socket()
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Inherited by what is accepted. A line holds little; with the system's megabytes a throttled or stalled
            # one would seem to take a whole photo at once.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _CHUNK)
            listening.bind(("127.0.0.1", self.port))
            self.port = listening.getsockname()[1]
            self._listener = await asyncio.start_server(self._connected, sock=listening, limit=_CHUNK)

    # Waiting

    async def was_cut(self, times: int = 1) -> None:
        """Until `cut_after` has cut so often. Bound it with `asyncio.timeout`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.cuts >= times)

    async def passed(self, *, up: int = 0, down: int = 0) -> None:
        """Until so many bytes in all have passed. Bound it with `asyncio.timeout`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.up >= up and self.down >= down)

    # Inside

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._joined(reader, writer)
        except asyncio.CancelledError:
            # By `__aexit__` alone; asyncio would log a cancelled handler as an error.
            writer.transport.abort()
        finally:
            self._tasks.discard(task)

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target, limit=_CHUNK)
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair(writer, far_writer)
        self._pairs.add(pair)
        pumps = [
            asyncio.create_task(self._pump("up", reader, far_writer, pair)),
            asyncio.create_task(self._pump("down", far_reader, writer, pair)),
        ]
        self._tasks.update(pumps)
        try:
            await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            self._tasks.difference_update(pumps)
            self._pairs.discard(pair)
            for each in (writer, far_writer):
                each.close()

    async def _pump(self, name: Which, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: _Pair) -> None:
        direction = self._directions[name]
        # Drained means handed to the kernel: a cut must not take bytes with it that were allowed to pass.
        writer.transport.set_write_buffer_limits(high=0)
        try:
            while True:
                await direction.flowing.wait()
                rate = self._rate
                size = _CHUNK if rate is None else max(rate // _SLICES_A_SECOND, 1)
                chunk = await reader.read(size)
                await direction.flowing.wait()
                if not chunk:
                    writer.write_eof()
                    return
                cut = direction.allowance is not None and direction.allowance <= len(chunk)
                if direction.allowance is not None:
                    chunk = chunk[: direction.allowance]
                    direction.allowance = None if cut else direction.allowance - len(chunk)
                if chunk:
                    writer.write(chunk)
                    await writer.drain()
                await self._count(direction, len(chunk), cut)
                if cut:
                    pair.end(self._how)
                    return
                if rate is not None:
                    await asyncio.sleep(len(chunk) / rate)
        except (OSError, RuntimeError):
            # One side is gone; the other learns it as it would without a proxy.
            pair.end("reset")

    async def _count(self, direction: _Direction, size: int, cut: bool) -> None:
        async with self._changed:
            direction.passed += size
            self.cuts += cut
            self._changed.notify_all()
