"""受け取り係: tells the room what became of its upload links, and posts what came in by them, disarmed."""

from __future__ import annotations

import datetime
from typing import Any, Final

from bots.sanitizing_upload.words import arrived, asked_in, card, deadline_passed, done, held
from chat_server.bot_api import Bot, Button, Buttons, Card, Handed, Link, Message, Offer, Press, Room

KEPT: Final = 100
"""Links of a room that it remembers."""
A_POST: Final = 10
"""Files in one message."""
PATIENCE: Final = datetime.timedelta(minutes=1)
"""For which what is ready waits for the rest, so that ten photos are one message."""
MORE_DAYS: Final = 7
LIVING: Final = ("new", "open", "opened", "received")
HELP: Final = """次のように書いてください。
受け取り 山田 太郎様 橋りょう点検の写真
（会社の名前は次の行に「会社 山田建設」、期限は「期限 10日」。何も書かなければ7日です）"""


class SanitizingUpload(Bot):
    title = "受け取り係"
    reading = "うけとりがかり"
    offers = (
        Offer("ファイルを受け取るリンクを作る", "受け取り ", "受け取り 山田 太郎様 橋りょう点検の写真"),
    )  # fmt: skip

    def on_message(self, room: Room, message: Message) -> None:
        asked = asked_in(message.text)
        if asked is None:
            return
        if not asked.recipient or not asked.purpose:
            room.say(f"だれから、何を受け取るかを書いてください。\n{HELP}")
        elif not 1 <= asked.days <= 30:
            room.say("期限は1日から30日までで書いてください。")
        else:
            room.ask_link(asked.recipient, asked.purpose, company=asked.company, days=asked.days)

    def on_link(self, room: Room, link: Link) -> None:
        kept = room.store.setdefault("links", {})
        known: dict[str, Any] | None = kept.get(link.id)
        parts: tuple[Card | Buttons, ...] = (card(link), *_buttons(link))
        if known is None:
            known = kept[link.id] = {"state": ""}
            room.post(*parts, name=_name(link.id))
            for old in list(kept)[:-KEPT]:
                del kept[old]
        else:
            room.change(_name(link.id), *parts)
        self._tell_of_held(room, link, known)
        self._tell_of_files(room, link)
        if link.state == "done" and any(file.state == "waiting" for file in link.files):
            return  # the last word comes last
        if link.state != known["state"]:
            if link.state == "expired" and not link.received:
                room.post(*deadline_passed(link))
            elif link.state == "done" and link.received:
                room.post(done(link))
            known["state"] = link.state

    def on_press(self, room: Room, press: Press) -> None:
        link = press.post.removeprefix("link-")
        if press.key == "revoke":
            room.revoke_link(link)
        elif press.key == "extend":
            room.extend_link(link, MORE_DAYS)
        elif press.key == "again":
            room.ask_again(link)

    def _tell_of_held(self, room: Room, link: Link, known: dict[str, Any]) -> None:
        """Once of each file: those who may approve are called, as far as they are here."""
        told = known.setdefault("held", [])
        new = [file for file in link.files if file.state == "held" and file.id not in told]
        if new:
            room.post(held(link, new))
            told += [file.id for file in new]

    def _tell_of_files(self, room: Room, link: Link) -> None:
        """In as few messages as may be: at once where nothing is still being looked at, or there is a whole message of it; else when
        the first has waited long enough."""
        ready = [file for file in link.files if file.state in ("released", "refused") and not file.posted]
        waiting = any(file.state == "waiting" for file in link.files)
        while ready and (len(ready) >= A_POST or not waiting or _late(ready[0], room)):
            now, ready = ready[:A_POST], ready[A_POST:]
            if len(room.posts) >= MOST_POSTS:
                room.look_again(link.id, room.now)
                return
            room.post(*arrived(link, now), *now)
        if ready:
            room.look_again(link.id, (ready[0].decided or room.now) + PATIENCE)


MOST_POSTS: Final = 8
"""About one thing; a card and a last word are two more."""


def _late(file: Handed, room: Room) -> bool:
    return file.decided is None or room.now >= file.decided + PATIENCE


def _name(link: str) -> str:
    return f"link-{link}"


def _buttons(link: Link) -> tuple[Buttons, ...]:
    extend = Button("extend", "期限を7日延ばす")
    revoke = Button("revoke", "取り消す", "danger", ask="このリンクでは、もうファイルを送れなくなります。")
    again = Button("again", "再依頼", ask="同じ内容で、期限を改めた新しいリンクを作ります。")
    if link.state in LIVING:
        return (Buttons((extend, revoke)),)
    return (Buttons((extend, again) if link.state == "expired" else (again,)),)
