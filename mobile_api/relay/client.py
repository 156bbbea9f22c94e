"""The closed side's line to the relay, and the providers at the end of it (see `providers.port`).

This side dials; nothing ever comes in that was not asked for. A parcel that was handed over and not answered when the line
broke is `UNKNOWN` here and settled there: handed again under the same id, the relay answers what the provider said.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from chat_server.domain.webhooks import Hosts
from mobile_api.providers.answers import answer, printable
from mobile_api.providers.faults import Cut, NotSent
from mobile_api.providers.port import NO_LINE, PLATFORMS, SECONDS, Answer, Outcome, Parcel, Platform, Provider
from mobile_api.providers.proxy import Proxy, tunnel
from mobile_api.providers.web_push import Sign
from mobile_api.relay import keys, wire

BOUND: Final = SECONDS - 1
CONNECT_SECONDS: Final = 10.0
PING_SECONDS: Final = 15.0
SILENCE_SECONDS: Final = 40.0
"""The relay answers every ping; if it does not, the line is gone though nobody said so."""
PAUSES: Final = (0.5, 1, 2, 5, 10, 15)
"""Seconds between attempts to dial, give or take a fifth; the last one repeats."""
UP_SECONDS: Final = 3.0
"""What a parcel waits for a line that is being dialled."""

log = structlog.get_logger("renraku.push")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the relay is. `keys`: the folder “closed”."""

    host: str
    port: int
    keys: Path
    proxy: Proxy | None = None


class Line:
    """One connection, dialled anew for as long as anybody uses it. Made in the loop that it runs in."""

    def __init__(self, place: Place) -> None:
        """Raises `keys.NoKeys`."""
        self._place = place
        self._tls = keys.context(place.keys, server=False)
        self._writer: asyncio.StreamWriter | None = None
        self._platforms: tuple[Platform, ...] = ()
        self._up = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._running: asyncio.Task[None] | None = None
        self._closed = False
        self.users = 0
        self.figures: wire.Pong | None = None
        """what the relay last said of itself"""
        self.on_up: Callable[[], None] = lambda: None

    @property
    def stands(self) -> bool:
        return self._up.is_set()

    async def send(self, parcel: Parcel, authorization: str) -> Answer:
        """The relay's answer, or the provider's. Raises `NotSent`, `Cut`."""
        if self._closed:
            raise NotSent("closing")
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(UP_SECONDS):
                await self._up.wait()
        except TimeoutError:
            raise NotSent(NO_LINE) from None
        if parcel.platform not in self._platforms:
            return answer(parcel, Outcome.LATER, f"the relay has no settings for {parcel.platform}", retry_after=60.0)
        if parcel.id in self._waiting:
            raise NotSent("the same parcel is on its way")
        return await self._handed(parcel, wire.frame(wire.Hand(parcel, authorization)))

    async def _handed(self, parcel: Parcel, frame: bytes) -> Answer:
        if self._writer is None:
            raise NotSent(NO_LINE)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[parcel.id] = future
        try:
            async with asyncio.timeout(BOUND - UP_SECONDS):
                self._writer.write(frame)
                with contextlib.suppress(OSError):  # the reader says it too, and to everybody
                    await self._writer.drain()
                found = await future
        except TimeoutError:
            raise Cut("the relay has it, and has not answered") from None
        finally:
            self._waiting.pop(parcel.id, None)
        if self._writer is not None:
            self._writer.write(wire.frame(wire.Confirm(parcel.id)))
        return found

    async def _run(self) -> None:
        tries = 0
        while True:
            try:
                await self._once()
                tries = 0
            except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, wire.Broken) as error:
                # ValueError: a host name that is none.
                was_up = self._up.is_set()
                self._down()
                if isinstance(error, ssl.SSLError):
                    # Not merely a bad line: whoever answers there is not the relay, or the relay does not know us.
                    log.error("push.relay_refused", relay=self._place.host, why=printable(error.reason or str(error)))
                elif was_up or tries == 0:
                    log.warning("push.relay_line_down", relay=self._place.host, why=printable(_words(error)))
                tries = 0 if was_up else tries + 1
            pause = PAUSES[min(tries, len(PAUSES) - 1)]
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - so that many do not dial at once

    async def _once(self) -> None:
        """Dial, and listen until the line ends. Raises what ended it."""
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await self._dial()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                hello = await wire.to_closed(reader)
            if not isinstance(hello, wire.Hello) or hello.version != wire.VERSION:
                raise wire.Broken("a relay of another version")
            self._writer, self._platforms = writer, hello.platforms
            self._up.set()
            self.on_up()
            log.info("push.relay_line_up", relay=self._place.host, platforms=list(hello.platforms))
            await self._listen(reader, writer)
        finally:
            self._writer = None
            writer.transport.abort()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        place = self._place
        if place.proxy is None:
            return await asyncio.open_connection(place.host, place.port, ssl=self._tls, limit=2 * wire.FRAME_BYTES)
        line = await tunnel(place.proxy, place.host, place.port)
        try:
            return await asyncio.open_connection(
                sock=line, ssl=self._tls, server_hostname=place.host, limit=2 * wire.FRAME_BYTES
            )
        except BaseException:
            line.close()
            raise

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pinging = asyncio.create_task(_ping(writer))
        try:
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    message = await wire.to_closed(reader)
                if isinstance(message, wire.Pong):
                    self.figures = message
                elif isinstance(message, wire.Answered):
                    future = self._waiting.get(message.id)
                    # One that nobody waits for stays at the relay, unconfirmed, until it is asked for.
                    if future is not None and not future.done():
                        future.set_result(message.answer)
        finally:
            pinging.cancel()

    def _down(self) -> None:
        self._up.clear()
        self._writer = None
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(Cut("the line to the relay was cut"))

    async def close(self) -> None:
        self._closed = True
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        self._down()


class RelayProvider:
    """One platform by the line. `hosts`: of Web Push and UnifiedPush, where an endpoint may be."""

    def __init__(self, line: Line, platform: Platform, hosts: Hosts, sign: Sign) -> None:
        self.platform: Platform = platform
        self.line, self._hosts, self._sign = line, hosts, sign
        self._open = True
        line.users += 1

    async def send(self, parcel: Parcel) -> Answer:
        authorization = ""
        try:
            if not self._open:
                raise NotSent("closing")
            if self.platform in ("web_push", "unified"):
                target = self._hosts.target(parcel.token)
                if parcel.sealed or self.platform == "web_push":
                    authorization = self._sign(parcel, f"{target.scheme}://{target.authority}")
            return await self.line.send(parcel, authorization)
        except ValueError as error:
            return answer(parcel, Outcome.REFUSED, str(error).rpartition(" / ")[2])
        except NotSent as error:
            return answer(parcel, Outcome.LATER, str(error))
        except Cut as error:
            return answer(parcel, Outcome.UNKNOWN, str(error))

    async def close(self) -> None:
        """The line ends with the last one."""
        if self._open:
            self._open = False
            self.line.users -= 1
            if self.line.users == 0:
                await self.line.close()


def relayed(line: Line, hosts: Mapping[Platform, Hosts], sign: Sign) -> dict[Platform, Provider]:
    """All four; what the relay has no keys for it says itself."""
    none = Hosts()
    return {platform: RelayProvider(line, platform, hosts.get(platform, none), sign) for platform in PLATFORMS}


async def _ping(writer: asyncio.StreamWriter) -> None:
    while not writer.is_closing():
        writer.write(wire.frame(wire.Ping()))
        await asyncio.sleep(PING_SECONDS)


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
