"""A conversation with a bot, for its tests: no server, a clock of one's own, and everything that the bot kept and wrote goes
through the same packing as in earnest.

    dialog = Dialog(MemoPad(), kind="memo", now="2026-11-26 09:00")
    assert dialog.say("一覧") == ["メモはまだありません。"]
    dialog.wait(hours=1)
"""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from chat_server import bot_wire as wire
from chat_server.bot_api import JST, LINK_NOTE, Bot, Buttons, Card, Copy, Form
from chat_server.bot_blocks import Value
from chat_server.bot_runner.asking import act
from chat_server.bot_wire import Answered, Answers, Pressed, Said, Task


class Dialog:
    """One room with the bot in it. `posts`: what it wrote, as it is now, by name; the nameless by their number. `pins`, `sent_on`
    (message, room), `tidied`, `links`: what it did besides; messages are m1, m2 … in the order in which they were said."""

    def __init__(self, bot: Bot, *, kind: str = "private", name: str = "道路課", now: str = "2026-11-26 09:00") -> None:
        self._bot = bot
        self._kind = kind
        self._name = name
        self._timers: list[wire.Timer] = []
        self._store = b"\x80"
        self._said: list[Said] = []
        self.pins: dict[str, bool] = {}
        self.sent_on: list[tuple[str, str]] = []
        self.links: list[wire.LinkAct] = []
        self._links: dict[str, wire.Link] = {}
        self._posted: set[str] = set()
        self.tidied: list[wire.Tidy] = []
        self._answers: dict[str, dict[str, Answered]] = {}
        self.posts: dict[str, wire.Post] = {}
        self.now = datetime.datetime.fromisoformat(now).replace(tzinfo=JST)

    def say(self, text: str, *, author: str = "田中 美咲", photos: int = 0, files: tuple[str, ...] = ()) -> list[str]:
        """What the bot answers."""
        self._said.append(Said(text, author, photos, files, _ms(self.now), author, f"m{len(self._said) + 1}"))
        return self._ask(message=self._said[-1])

    def edit(self, message: str, text: str) -> list[str]:
        """Somebody changes what they said; `message`: m1, m2 …"""
        number = int(message[1:]) - 1
        self._said[number] = msgspec.structs.replace(self._said[number], text=text)
        return self._ask(message=self._said[number], edited=True)

    def remove(self, message: str) -> list[str]:
        """Somebody takes back what they said."""
        return self._ask(removed=message)

    def press(self, key: str, post: str, *, by: str = "田中 美咲") -> list[str]:
        """Press a button of a post. Raises KeyError where there is none."""
        buttons = [one for part in self.posts[post].parts if isinstance(part, Buttons) for one in part.buttons]
        if key not in {button.key for button in buttons}:
            raise KeyError(key)
        answers = tuple(self._answers.get(post, {}).values())
        return self._ask(press=Pressed(key, post, by, by, answers))

    def answer(self, post: str, *, by: str = "田中 美咲", department: str = "道路課", **values: Value) -> list[str]:
        """Answer the form of a post. Raises KeyError where there is none, or not any more."""
        form = next((part for part in self.posts[post].parts if isinstance(part, Form)), None)
        if form is None or not form.open or not set(values) <= {one.key for one in form.fields}:
            raise KeyError(post)
        given = self._answers.setdefault(post, {})
        given[by] = Answered(values) if form.secret else Answered(values, by, by, department, _ms(self.now))
        return self._ask(answers=Answers(post, tuple(given.values())))

    def link(self, link: wire.Link) -> list[str]:
        """Something became of an upload link. What was posted of its files is posted from now on, as in earnest."""
        posted = [replace(one, posted=one.posted or one.id in self._posted) for one in link.files]
        self._links[link.id] = replace(link, files=tuple(posted))
        return self._ask(link=self._links[link.id])

    def wait(self, **time: float) -> list[str]:
        """What it says of itself while time passes (`datetime.timedelta`'s words)."""
        until, said = self.now + datetime.timedelta(**time), []
        while due := [timer for timer in self._timers if timer.at <= _ms(until)]:
            first = min(due, key=lambda timer: timer.at)
            self._timers.remove(first)
            self.now = max(self.now, datetime.datetime.fromtimestamp(first.at / 1000, JST))
            if first.note.startswith(LINK_NOTE):
                said += self.link(self._links[first.note.removeprefix(LINK_NOTE)])
            else:
                said += self._ask(note=first.note)
        self.now = until
        return said

    def _ask(self, **asked: Any) -> list[str]:
        store = msgspec.msgpack.decode(self._store)
        done = act(self._bot, Task(self._kind, self._name, _ms(self.now), store, **asked))
        self._store = wire.pack(done.store)
        soon = _ms(self.now) + 1000
        self._timers += [wire.Timer(max(timer.at, soon), timer.note) for timer in done.timers]
        self.pins |= {pin.message: pin.on for pin in done.pins}
        self.sent_on += [(one.message, one.room) for one in done.sends]
        self.tidied += [done.tidy] if done.tidy is not None else []
        self.links += done.links
        for post in done.posts:
            self._posted |= {part.id for part in post.parts if isinstance(part, wire.HandedIn)}
            self.posts[post.name or str(len(self.posts))] = post
        for post in done.changes:
            kept = tuple(part for part in self.posts[post.name].parts if isinstance(part, wire.File))
            self.posts[post.name] = wire.Post(post.name, (*post.parts, *kept))
        return [words(post) for post in done.posts]


def words(post: wire.Post) -> str:
    """A post as a line of words: of a card, a form, a file their titles."""
    return "\n".join(_word(part) for part in post.parts if not isinstance(part, (Buttons, wire.HandedIn)))


def _word(part: Any) -> str:
    if isinstance(part, (str, Copy)):
        return part if isinstance(part, str) else part.text
    return part.title if isinstance(part, (Card, Form)) else str(part.name)


def _ms(at: datetime.datetime) -> int:
    return int(at.timestamp() * 1000)
