"""The thin ASGI shell of the WebSocket: handshake, first frame, then whatever `Session` says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from chat_server.domain import closing, limits
from chat_server.domain.errors import (
    ACCOUNT_DISABLED,
    DATABASE_BUSY,
    DEVICE_NOT_HERE,
    DEVICE_TO_WIPE,
    DEVICE_WAITS,
    INTERNAL,
    RESTARTING,
    STORAGE_BROKEN,
    Problem,
)
from chat_server.domain.ids import new_id
from chat_server.realtime.codec import CODECS, Codec
from chat_server.realtime.connection import Connection
from chat_server.realtime.dispatch import Dispatcher
from chat_server.realtime.session import Do, Refuse, Session, Shut, State, Step
from chat_server.realtime.transport import SlowWriter, direct
from chat_server.services.commands import Auth

log = structlog.get_logger("renraku.realtime")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Endpoint:
    """ASGI application at `/ws`. The handshake's Origin and Host have been checked before it is called."""

    def __init__(self, dispatcher: Dispatcher, *, slow_path: bool = False) -> None:
        self._dispatcher = dispatcher
        self._slow_path = slow_path
        self.draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        codec = next((CODECS[name] for name in scope.get("subprotocols", ()) if name in CODECS), None)
        if codec is None:
            await send({"type": "websocket.close", "code": closing.BUSY})
            return
        await send({"type": "websocket.accept", "subprotocol": codec.name})
        if self.draining:
            # Accepted first: a refused handshake looks like a server that wants nobody, this one wants them back.
            await send({"type": "websocket.close", "code": closing.RESTARTING, "reason": "restarting"})
            return
        fast = None if self._slow_path else direct(dict(scope))
        if fast is not None:
            socket = Socket(self._dispatcher, codec, scope, fast.write, fast.shut, fast.backlog)
            # Frames come by callback; nothing of ASGI stays behind on an idle connection.
            fast.attach(socket.receive, socket.fell_behind, socket.gone)
            return
        await self._run_slowly(scope, receive, send, codec)

    async def _run_slowly(self, scope: Scope, receive: Receive, send: Send, codec: Codec) -> None:
        writer = SlowWriter(send, lambda: socket.fell_behind())
        socket = Socket(self._dispatcher, codec, scope, writer.write, writer.shut, writer.backlog)
        emptying = asyncio.create_task(writer.run())
        try:
            while not emptying.done():
                getting = asyncio.ensure_future(receive())
                await asyncio.wait({getting, emptying}, return_when=asyncio.FIRST_COMPLETED)
                if not getting.done():
                    getting.cancel()
                    break
                message = getting.result()
                if message["type"] == "websocket.disconnect":
                    break
                payload = message.get("bytes")
                socket.receive(payload if payload is not None else message["text"].encode())
        finally:
            socket.gone()
            emptying.cancel()


class Socket:
    """One connection from handshake to end: feeds `Session`, keeps what it decided."""

    __slots__ = (
        "_backlog",
        "_codec",
        "_connection",
        "_deadline",
        "_dispatcher",
        "_over",
        "_scope",
        "_session",
        "_shut",
        "_write",
    )

    def __init__(
        self,
        dispatcher: Dispatcher,
        codec: Codec,
        scope: Scope,
        write: Callable[[bytes], None],
        shut: Callable[[int], None],
        backlog: Callable[[], int] = lambda: 0,
    ) -> None:
        self._dispatcher = dispatcher
        self._codec = codec
        self._scope: Scope | None = scope
        self._write = write
        self._shut = shut
        self._backlog = backlog
        self._session = Session(codec)
        self._connection: Connection | None = None
        self._over = False
        self._deadline: asyncio.TimerHandle | None = asyncio.get_running_loop().call_later(
            limits.AUTH_SECONDS, self.close, closing.NOT_AUTHENTICATED
        )

    def receive(self, payload: bytes) -> None:
        """A whole message from the client."""
        self._take(self._session.receive(payload, time.monotonic()))

    def _take(self, step: Step) -> None:
        if step is None:
            return
        if isinstance(step, Shut):
            self.close(step.code)
        elif isinstance(step, Refuse):
            self._say_problem(step.ref, step.problem)
        elif isinstance(step.command, Auth):
            # The peer has done its part in time; how long the server takes in a storm is not its fault.
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None
            self._dispatcher.spawn(self._authenticate(step.command))
        else:
            self._carry_out(step)

    def _carry_out(self, step: Do) -> None:
        assert self._connection is not None
        self._dispatcher.dispatch(self._connection, step.command, self._answer)

    async def _authenticate(self, command: Auth) -> None:
        try:
            async with self._dispatcher.door:
                hello = await self._enter(command.token)
        except Exception as error:
            self._say_problem(command.ref, error)
            self.close(_refused_with(error))
            return
        if self._over:
            return
        self._session.authenticated()
        self._answer(command.ref, hello)

    async def _enter(self, token: str) -> dict[str, Any]:
        assert self._scope is not None
        load = self._dispatcher.authenticate(token, self._scope)
        self._scope = None
        actor, expires = await self._dispatcher.actor(load)
        if self._over:
            return {}  # to nobody; and what is over is never taken out of the hub again
        self._connection = Connection(self._codec, self._write, self.close, actor, expires, self._backlog)
        return await self._dispatcher.greet(self._connection, load)

    def _answer(self, ref: int, answer: dict[str, Any] | BaseException) -> None:
        """The one answer to a command; `ref` 0 for those that have none."""
        if self._session.state is State.CLOSED:
            return
        if not ref:
            return
        self._session.answered(ref, failed=not isinstance(answer, dict))
        if isinstance(answer, dict):
            answer["ref"] = ref
            self._write(self._codec.frame(answer))
        else:
            self._say_problem(ref, answer)

    def _say_problem(self, ref: int | None, error: BaseException) -> None:
        if not isinstance(error, Problem):
            trace = new_id(time.time_ns() // 1_000_000)
            log.error("command failed", trace=trace, exc_info=error)
            error = Problem(INTERNAL, trace=trace)
        wire = {"op": "error", **error.as_dict()}
        if ref is not None:
            wire["ref"] = ref
        if not self._over:
            self._write(self._codec.frame(wire))

    def fell_behind(self) -> None:
        self.close(closing.SLOW)

    def close(self, code: int) -> None:
        """Ours to end. Nothing is delivered any more from this moment on."""
        if self._over:
            return
        self.gone()
        self._shut(code)

    def gone(self) -> None:
        """Nothing can be delivered any more."""
        self._over = True
        self._session.state = State.CLOSED
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._connection is not None:
            self._dispatcher.forget(self._connection)


def _refused_with(error: Exception) -> int:
    """The close code after a first frame that brought nobody in. A fault of ours is no verdict on the token."""
    if not isinstance(error, Problem) or error.fault in (DATABASE_BUSY, STORAGE_BROKEN, RESTARTING):
        return closing.BUSY
    if error.fault in (DEVICE_WAITS, DEVICE_TO_WIPE, DEVICE_NOT_HERE):
        return closing.DEVICE
    return closing.DISABLED if error.fault is ACCOUNT_DISABLED else closing.BAD_TOKEN
