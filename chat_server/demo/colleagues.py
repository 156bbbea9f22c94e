"""Two invented colleagues at work, so that whoever tries the demonstration is not alone in it.

They are clients like any other: signed in over HTTP, connected by WebSocket, with no rights but those of their
accounts. They share the server's process, because a few idle coroutines end with it and a second process might not.

What a colleague wrote is never read, reacted to or answered by one of them: no talk may go on by itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from random import SystemRandom
from typing import Final

import structlog

from chat_client import Client, ClientError, Credentials, EventStream, Message, Photo, RenrakuError, Room
from chat_client.events import MessagePosted, Presence
from chat_server.demo import draw, script
from chat_server.demo.dates import begins, japanese
from chat_server.demo.people import HOME
from chat_server.demo.story import MINUTE

_PAUSE: Final = (1.0, 3.0)
"""Seconds from a message's arrival to its being read, and again to an answer."""
_GLANCE: Final = (0.3, 0.9)
"""Seconds from reading to the reaction."""
_LOOKED_AROUND: Final = 6.0
"""Seconds that somebody has been there when the photo from the roadside comes."""
_WATCHED: Final = 200
_TAKEN_BEFORE: Final = 2 * MINUTE
_random: Final = SystemRandom()
log = structlog.get_logger("renraku.demo")


async def work(address: str) -> None:
    """Be at work at the server with `address` until cancelled. What keeps a colleague away is logged, not raised."""
    office = script.office()
    async with AsyncExitStack() as leaving:
        clients = {who.login: Client(address, credentials=_credentials(who.login)) for who in office.colleague}
        streams = {login: client.events() for login, client in clients.items()}
        for client in clients.values():
            await leaving.enter_async_context(client)
        try:
            await asyncio.gather(*(client.start() for client in clients.values()))
        except (RenrakuError, ClientError) as error:
            # A folder that an earlier version made gave them no passwords.
            log.warning("the colleagues stay away", reason=str(error))
            return
        team = tuple(client.me.id for client in clients.values())
        log.info("the colleagues are at work", logins=list(clients))
        await asyncio.gather(
            *(_shift(login, Colleague(client, team).attend(streams[login])) for login, client in clients.items()),
            _shift(office.roadside.by, _patrol(clients[office.roadside.by], team)),
        )


async def _shift(login: str, work: Awaitable[None]) -> None:
    """`work`, which may be cut short: by an administrator who disables the account, for one."""
    try:
        await work
    except (RenrakuError, ClientError) as error:
        log.warning("a colleague leaves", login=login, reason=str(error))


class Colleague:
    """One of them. `team`: the ids of all, in an order that all know."""

    def __init__(self, client: Client, team: tuple[str, ...]) -> None:
        self._client = client
        self._team = team

    async def attend(self, events: EventStream) -> None:
        """Take what others post, one message after the other, until the client ends. Raises what ended it."""
        async for event in events:
            if isinstance(event, MessagePosted) and self._from_somebody(event.message):
                try:
                    await self._take(event)
                except RenrakuError as error:
                    # Taken back, archived or left in the meantime: a person would shrug as well.
                    log.info("a colleague let a message be", code=error.code)

    def _from_somebody(self, message: Message) -> bool:
        return message.kind == "text" and message.author.kind != "bot" and message.author.id not in self._team

    async def _take(self, event: MessagePosted) -> None:
        message = event.message
        await asyncio.sleep(message.at / 1000 + _random.uniform(*_PAUSE) - time.time())
        room = await self._client.api.room(event.room)
        await self._client.read(room.id, event.seq)
        if room.kind == "announcement":
            return
        taken = script.office().taking(message.text, bool(message.attachments))
        await asyncio.sleep(_random.uniform(*_GLANCE))
        await self._client.react(message.id, script.REACTIONS[taken.react])
        if self._is_asked(room, message):
            await self._client.typing(room.id)
            await asyncio.sleep(_random.uniform(*_PAUSE))
            await self._answer(room, message, _random.choice(taken.texts))

    def _is_asked(self, room: Room, message: Message) -> bool:
        """Whoever is named first answers for all: two answers to one message would be one too many."""
        named = next((each for each in self._team if f"user:{each}" in message.mentions), None)
        return room.kind == "direct" or named == self._client.me.id

    async def _answer(self, room: Room, message: Message, text: str) -> None:
        if room.kind == "direct":
            await self._client.send(room.id, text)
        else:
            await self._client.send(room.id, f"<@user:{message.author.id}> {text}", quote=message.id)


async def _patrol(client: Client, team: Sequence[str]) -> None:
    """A photo from the roadside, once somebody is there to see it; one a day, however often the server is started."""
    scene = script.office().roadside
    await _somebody(client, team)
    await asyncio.sleep(_LOOKED_AROUND)
    room = next((room for room in await client.rooms() if room.name == scene.room and room.can.get("post")), None)
    if room is None:
        return
    now = int(time.time() * 1000)
    today = begins(japanese(now).date())
    for message in (await client.history(room.id, limit=200)).messages:
        own = message.author.id == client.me.id and message.at >= today
        if own and (message.redacted or scene.text in message.text):
            log.info("today's photo is there already")
            return
    (drawn,) = await asyncio.to_thread(lambda: list(draw.photographs({scene.photo: now - _TAKEN_BEFORE})))
    await client.send(room.id, scene.text, photos=[Photo.of(drawn.jpeg, drawn.file_name)])


async def _somebody(client: Client, team: Sequence[str]) -> None:
    """Until a person who is none of the team is connected."""
    events = client.events()
    try:
        others = [person.id for person in await client.api.people() if person.id not in team]
        if "online" in (await client.watch(others[:_WATCHED])).values():
            return
        async for event in events:
            if isinstance(event, Presence) and event.state == "online":
                return
    finally:
        events.close()


def _credentials(login: str) -> Credentials:
    return Credentials(HOME, login, script.cast().password, "デモの同僚")
