"""A conversation with a bot, for its tests: no server, a clock of one's own, and everything that the bot kept goes through the
same packing as in earnest.

    dialog = Dialog(MemoPad(), kind="memo", now="2026-11-26 09:00")
    assert dialog.say("一覧") == ["メモはまだありません。"]
    dialog.wait(hours=1)
"""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import msgspec

from chat_server.bot_api import JST, STORE_BYTES, Bot, Message, Room, Timer, TooMuch


class Dialog:
    """One room with the bot in it."""

    def __init__(self, bot: Bot, *, kind: str = "private", name: str = "道路課", now: str = "2026-11-26 09:00") -> None:
        self._bot = bot
        self._kind = kind
        self._name = name
        self._timers: list[Timer] = []
        self._store = b"\x80"
        self.now = datetime.datetime.fromisoformat(now).replace(tzinfo=JST)

    def say(self, text: str, *, author: str = "田中 美咲", photos: int = 0, files: tuple[str, ...] = ()) -> list[str]:
        """What the bot answers."""
        return self._ask(lambda room: self._bot.on_message(room, Message(text, author, photos, files, self.now)))

    def wait(self, **time: float) -> list[str]:
        """What it says of itself while time passes (`datetime.timedelta`'s words)."""
        until, said = self.now + datetime.timedelta(**time), []
        while due := [timer for timer in self._timers if timer.at <= until]:
            first = min(due, key=lambda timer: timer.at)
            self._timers.remove(first)
            self.now = max(self.now, first.at)
            said += self._ask(lambda room, first=first: self._bot.on_timer(room, first.note))
        self.now = until
        return said

    def _ask(self, ask: Any) -> list[str]:
        room = Room(self._kind, self._name, self.now, msgspec.msgpack.decode(self._store))
        ask(room)
        self._store = msgspec.msgpack.encode(room.store)
        if len(self._store) > STORE_BYTES:
            raise TooMuch(f"a bot keeps at most {STORE_BYTES} bytes for a room")
        soon = self.now + datetime.timedelta(seconds=1)
        self._timers += [replace(timer, at=max(timer.at, soon)) for timer in room.timers]
        return room.said
