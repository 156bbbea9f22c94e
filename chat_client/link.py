"""The connection that comes back: one `Connection` after another, resumed, until something forbids it.

It owns the tracker's conversation with the server (resume, pulls) and repeats a caller's command on the next
connection where the answer was lost. Every command of the protocol may be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from chat_client.clock import Clock, ServerTime, within
from chat_client.connection import TOO_BIG, Connection
from chat_client.errors import (
    ClientClosed,
    ClientError,
    RenrakuError,
    ServerRefused,
    SignInRequired,
    UnexpectedAnswer,
    Unreachable,
)
from chat_client.models import Hello
from chat_client.retry import EXPIRED, ConnectionLost, Cut, Random, Reconnecting, Tries, stop_for
from chat_client.session import Session
from chat_client.stream import Output, Pull, Step, Tracker
from chat_client.wire import Codec, Frame

_PULLS_AT_ONCE: Final = 4
"""A desk that was away in two hundred rooms must not fill the server's 64 places for commands with pulls."""
_PULL_LIMIT: Final = 200
_RENEW_BEFORE: Final = 60.0
_CLOSE_WITHIN: Final = 5.0


@dataclass(frozen=True, slots=True)
class Up:
    """A connection has resumed."""

    hello: Hello


@dataclass(frozen=True, slots=True)
class Down:
    """It ended; the next try comes after `retry_in` seconds."""

    code: int | None
    reason: str
    retry_in: float


Sink = Callable[[Up | Down | Output | Frame], None]
"""Takes, in order: how the connection fares, what the streams deliver, and frames of no stream."""


class Link:
    """Run `run()` as a task; call `call()` from anywhere. `sink` must not block."""

    def __init__(
        self,
        url: str,
        *,
        codec: Codec,
        context: ssl.SSLContext | None,
        session: Session,
        tracker: Tracker,
        sink: Sink,
        clock: Clock,
        time: ServerTime,
        random: Random,
        patience: float | None,
    ) -> None:
        self._url = url
        self._codec = codec
        self._context = context
        self._session = session
        self._tracker = tracker
        self._sink = sink
        self._clock = clock
        self._time = time
        self._random = random
        self._patience = patience
        self._pull_limit = _PULL_LIMIT
        self._pulls = asyncio.Semaphore(_PULLS_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._live: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self._last_failure: ConnectionLost | Cut | None = None
        self._token = ""
        self._was_live = False
        self._refused: str | None = None
        self._kept: dict[str, Mapping[str, Any]] = {}

    async def run(self) -> None:
        """Keep connected. Ends by raising: `Stopped` when it must not go on, or what no retry can mend."""
        reconnecting = Reconnecting(self._random)
        try:
            while True:
                lived, end = await self._connected_once()
                stopped = stop_for(end.code, end.reason)
                if stopped is not None:
                    raise stopped
                if end.code == EXPIRED:
                    await self._replace_token()
                delay = reconnecting.delay(end.code, lived, end.retry_after)
                self._last_failure = end
                self._sink(Down(end.code, end.reason, delay))
                await self._clock.sleep(delay)
        except BaseException as error:
            self._stop(error if isinstance(error, ClientError | RenrakuError) else ClientClosed())
            raise

    async def connection(self) -> Connection:
        """The live connection, waiting for it. Raises what `run` ended with, Unreachable when patience ends."""
        live = self._live
        if self._patience is None or live.done():
            return await asyncio.shield(live)
        try:
            return await within(self._clock, self._patience, asyncio.shield(live))
        except TimeoutError:
            raise Unreachable(str(self._last_failure or "no answer yet")) from self._last_failure

    async def call(self, op: str, /, *, repeated: Callable[[], None] = lambda: None, **fields: Any) -> Frame:
        """A command's answer, whatever happens to connections meanwhile; `repeated` is told before a second sending
        of a command whose first answer was lost.

        Raises RenrakuError (final ones), what `run` ended with, Unreachable, TooLarge.
        """
        tries = Tries(self._clock, self._random, self._patience)
        while True:
            connection = await self.connection()
            try:
                return await connection.request(op, **fields)
            except ConnectionLost:
                repeated()
                await asyncio.shield(connection.closed)
                self._went_down(connection)
            except RenrakuError as error:
                await tries.wait(error)

    async def call_and_keep(self, op: str, /, **fields: Any) -> Frame:
        """As `call`; and the command is repeated on every later connection, because the server forgets it with this
        one. A later call of the same `op` takes its place."""
        answer = await self.call(op, **fields)
        self._kept[op] = fields
        return answer

    async def post(self, op: str, **fields: Any) -> None:
        """Send a command without an answer, if there is a connection right now."""
        connection = self._current()
        if connection is not None:
            await connection.post(op, **fields)

    def _stop(self, error: BaseException) -> None:
        if self._live.done():
            self._live = asyncio.get_running_loop().create_future()
        self._live.set_exception(error)
        self._live.exception()

    def _current(self) -> Connection | None:
        return self._live.result() if self._live.done() and self._live.exception() is None else None

    async def _connected_once(self) -> tuple[float | None, ConnectionLost]:
        """From opening to the end: how many seconds it was usable (None: never), and how it ended. Raises Stopped."""
        began: float | None = None
        connection: Connection | None = None
        try:
            self._token = await self._session.access_token()
            connection = await Connection.open(self._url, self._codec, self._context, self._clock, self._frame)
            hello = await connection.authenticate(self._token)
            self._time.heard(hello.time)
            live = partial(self._went_live, connection, hello)
            await connection.request("resume", then=live, **self._tracker.resume())
            began = self._clock.monotonic()
            end = await asyncio.shield(connection.closed)
        except RenrakuError as error:
            end = await self._judge(error, connection)
        except ServerRefused as error:
            if not self._was_live:
                raise
            # It was a Renraku server an hour ago: this is a proxy's maintenance page, not a wrong address.
            end = ConnectionLost(None, error.detail)
        except (Cut, ConnectionLost) as error:
            end = error if isinstance(error, ConnectionLost) else ConnectionLost(None, str(error))
        except UnexpectedAnswer as error:
            end = ConnectionLost(None, str(error), error.retry_after)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if connection is not None:
                self._went_down(connection)
                await connection.close()
            self._tracker.disconnected()
        if end.code == TOO_BIG:
            self._pull_limit = max(self._pull_limit // 2, 1)
        return (None if began is None else self._clock.monotonic() - began), end

    async def _judge(self, error: RenrakuError, connection: Connection | None) -> ConnectionLost:
        """What an error means that came instead of `hello`, `resumed` or an access token."""
        if error.retryable or error.code >= 9000:
            return ConnectionLost(None, str(error), error.retry_after)
        if error.token_refused and self._refused in (None, self._token):
            # Expired, probably; the refresh will tell.
            self._refused = self._token
            return ConnectionLost(EXPIRED, str(error))
        if connection is not None:
            # The close code that follows says more than the error: whether local data has to go.
            with contextlib.suppress(TimeoutError):
                return await within(self._clock, _CLOSE_WITHIN, asyncio.shield(connection.closed))
        raise error

    async def _replace_token(self) -> None:
        with contextlib.suppress(Cut, UnexpectedAnswer):
            try:
                await self._session.refused(self._token)
            except RenrakuError as error:
                if not error.retryable and error.code < 9000:
                    raise

    def _went_live(self, connection: Connection, hello: Hello, resumed: Frame) -> None:
        try:
            step = self._tracker.resumed(resumed)
        except (KeyError, TypeError, ValueError) as error:
            raise ConnectionLost(None, "the answer to resume could not be read") from error
        self._was_live = True
        self._refused = None
        self._sink(Up(hello))
        self._do(connection, step)
        for op, fields in self._kept.items():
            self._start(self._restore(connection, op, fields))
        self._start(self._keep_renewed(connection, hello.expires))
        connection.closed.add_done_callback(lambda _: self._went_down(connection))
        self._live.set_result(connection)

    def _went_down(self, connection: Connection) -> None:
        """`connection` is not handed out any more."""
        if self._current() is connection:
            self._live = asyncio.get_running_loop().create_future()

    def _frame(self, frame: Frame) -> None:
        if frame["op"] not in ("event", "me"):
            self._sink(frame)
            return
        connection = self._current()
        if connection is None:
            # Nothing is promised before `resumed`, and that counts what came before.
            return
        try:
            step = self._tracker.received(frame)
        except (KeyError, TypeError, ValueError):
            return
        self._do(connection, step)

    def _do(self, connection: Connection, step: Step) -> None:
        for output in step.out:
            self._sink(output)
        for pull in step.pulls:
            self._start(self._pull(connection, pull))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pull(self, connection: Connection, pull: Pull) -> None:
        fields: dict[str, Any] = {"after": pull.after, "limit": self._pull_limit}
        if pull.room is not None:
            fields["room"] = pull.room

        def arrived(page: Frame) -> None:
            self._do(connection, self._tracker.page(pull, page))

        tries = Tries(self._clock, self._random, None)
        async with self._pulls:
            while True:
                try:
                    await connection.request("pull", then=arrived, **fields)
                except ConnectionLost:
                    pass
                except (KeyError, TypeError, ValueError):
                    connection.abort("a page could not be read")
                except RenrakuError as error:
                    if error.retryable:
                        await tries.wait(error)
                        continue
                    self._do(connection, self._tracker.refused(pull, error.code))
                return

    async def _restore(self, connection: Connection, op: str, fields: Mapping[str, Any]) -> None:
        with contextlib.suppress(ConnectionLost, RenrakuError):
            await connection.request(op, then=self._sink, **fields)

    async def _keep_renewed(self, connection: Connection, expires: int) -> None:
        tries = Tries(self._clock, self._random, None)
        while True:
            left = (expires - self._time.now()) / 1000
            margin = min(_RENEW_BEFORE, left / 4)
            await self._clock.sleep(left - margin)
            try:
                token = await self._session.access_token(at_least=margin + 15)
                expires = int((await connection.request("renew", token=token))["expires"])
            except (SignInRequired, ConnectionLost, KeyError, TypeError, ValueError):
                # The connection serves until it expires; then 4003 says what this could only say too early.
                return
            except (RenrakuError, UnexpectedAnswer, Cut) as error:
                try:
                    await tries.wait(error)
                except (RenrakuError, UnexpectedAnswer):
                    return
