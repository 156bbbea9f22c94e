"""Sockets and signals: listeners by zone, the operator's Unix socket, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import structlog
import uvicorn

from chat_server.app import ASGI, App
from chat_server.config import OPERATORS_SOCKET, Listener, Settings
from chat_server.domain import limits
from chat_server.http.protocol import LimitedHttpProtocol
from chat_server.operations import operations_app
from chat_server.realtime.transport import DirectProtocol

BROKEN_STORAGE: Final = 70
"""Exit status (EX_SOFTWARE): the disk failed; the service manager starts us again, and SQLite recovers."""
_GRACE: Final = 5
log = structlog.get_logger("renraku.serving")


class CannotListen(Exception):
    """A listener's address or port cannot be had; the text says what to do."""


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: several listeners stop together. `ready` is set once it accepts."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(asgi: ASGI) -> uvicorn.Config:
    return uvicorn.Config(
        asgi,
        http=LimitedHttpProtocol,
        ws=DirectProtocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_max_size=limits.FRAME_BYTES,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        # Frames are small and many: deflate costs 32 KB a connection and gives each its own bytes.
        ws_per_message_deflate=False,
        h11_max_incomplete_event_size=32 * 1024,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GRACE,
        backlog=4096,
    )


def bind(listener: Listener) -> socket.socket:
    """The listener's socket. Raises `CannotListen`."""
    family = socket.AF_INET6 if ":" in listener.address else socket.AF_INET
    # Named, because asyncio sets TCP_NODELAY only on a socket that says so (48 ms an answer without).
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((listener.address, listener.port))
    except OSError as error:
        bound.close()
        raise CannotListen(
            f"Cannot listen on {listener.address}:{listener.port} ({error.strerror}). "
            f"Choose another port with RENRAKU_PORT, or stop the program that has it."
        ) from error
    bound.setblocking(False)
    return bound


def _bind_operator(settings: Settings) -> socket.socket:
    """The operator's socket in the data folder: the folder's permissions are the key to it."""
    folder = os.open(settings.folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # A Unix socket's path holds 107 bytes; a data folder's may be longer.
        short = f"/proc/self/fd/{folder}/{OPERATORS_SOCKET}"
        (settings.folder / OPERATORS_SOCKET).unlink(missing_ok=True)
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            bound.bind(short)
        finally:
            os.umask(before)
    finally:
        os.close(folder)
    bound.setblocking(False)
    return bound


async def serve(settings: Settings, on_ready: Callable[[list[str]], None], *, slow_path: bool = False) -> int:
    """Until SIGTERM or SIGINT; answers the exit status. `on_ready` gets the addresses, once they answer.

    Raises `CannotListen`, `storage.folder.CannotOpen`.
    """
    sockets = [bind(listener) for listener in settings.listen]
    try:
        app = await App.open(settings, slow_path=slow_path)
    except BaseException:
        for bound in sockets:
            bound.close()
        raise
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    operator = _bind_operator(settings)
    servers = [
        (_Server(_config(app.asgi(listener.zone))), bound)
        for listener, bound in zip(settings.listen, sockets, strict=True)
    ]
    servers.append((_Server(_config(operations_app(app))), operator))
    running = [asyncio.create_task(server.serve(sockets=[bound])) for server, bound in servers]
    await asyncio.gather(*(server.ready.wait() for server, _ in servers))
    on_ready([_address(bound) for bound in sockets])

    # To the very end: a disk that fails during the stop has failed all the same.
    dying = asyncio.create_task(_die_of_the_disk(app))
    await stop.wait()
    log.info("stopping")
    for server, _ in servers:
        for listening in server.servers:
            listening.close()
    await app.drain()
    for server, _ in servers:
        server.should_exit = True
    await asyncio.gather(*running)
    await app.close()
    if app.broken.is_set():
        await dying
    dying.cancel()
    (settings.folder / OPERATORS_SOCKET).unlink(missing_ok=True)
    log.info("stopped")
    return 0


async def _die_of_the_disk(app: App) -> None:
    await app.broken.wait()
    await asyncio.sleep(0.2)  # the close frames leave; nothing else may touch the disk, not even an orderly close
    sys.stderr.flush()
    os._exit(BROKEN_STORAGE)


def _address(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def run(settings: Settings, on_ready: Callable[[list[str]], None], *, slow_path: bool = False) -> int:
    """`serve` on uvloop, in a process of its own."""
    import gc

    import uvloop

    def ready(addresses: list[str]) -> None:
        # What is alive now stays: a collection that walks all of it would be a pause in every room.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        on_ready(addresses)

    coroutine: Any = serve(settings, ready, slow_path=slow_path)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return int(runner.run(coroutine))
