"""投票・出欠: 「投票 昼食 和食 洋食」 puts a form into the room, counts what is answered, and gives it as CSV."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, Final

from bots.polls.asking import Asked, asked_in
from bots.polls.results import counted, table
from chat_server.bot_api import (
    JST,
    Answer,
    Bot,
    Button,
    Buttons,
    Card,
    Field,
    File,
    Form,
    Message,
    Offer,
    Press,
    Room,
)
from chat_server.bot_times import day_and_time

KEPT: Final = 20
"""Polls of a room that it remembers."""
HELP: Final = """皆さんに聞きたいことを書いてください。
・投票 昼食 和食 洋食 （選択肢は次の行から一つずつでも）
・出欠 12月18日の忘年会
・「無記名投票」「複数投票」も
・締切は別の行に: 締切 12月1日17時"""


class Polls(Bot):
    title = "投票・出欠"
    reading = "とうひょう しゅっけつ"
    offers = (
        Offer("投票をとる", "投票 ", "投票 昼食 和食 洋食"),
        Offer("出欠をとる", "出欠 ", "出欠 12月18日の忘年会（次の行に「締切 12月1日17時」とも）"),
        Offer("無記名で投票をとる", "無記名投票 ", "無記名投票 会議の曜日 月曜 水曜"),
    )

    def on_message(self, room: Room, message: Message) -> None:
        asked = asked_in(message.text, room.now)
        if asked is None:
            return
        if asked.problem:
            room.say(f"{asked.problem}\n{HELP}")
            return
        name = f"poll-{room.store.get('next', 1)}"
        room.store["next"] = room.store.get("next", 1) + 1
        poll = _begun(asked, message)
        room.post(*_shown(poll), name=name)
        if asked.ends is not None:
            room.remind(asked.ends, name)
        _keep(room, name, poll)

    def on_answers(self, room: Room, post: str, answers: Sequence[Answer]) -> None:
        poll = room.store.get(post)
        if poll is not None:
            poll["total"], poll["rows"] = len(answers), counted(answers, poll["choices"], secret=poll["secret"])
            room.change(post, *_shown(poll))

    def on_press(self, room: Room, press: Press) -> None:
        poll = room.store.get(press.post)
        if poll is None:
            room.say("この投票は古いため、もう操作できません。")
        elif press.key == "csv":
            data = table(press.answers, _fields(poll), secret=poll["secret"])
            room.post(
                f"「{poll['title']}」の結果です（回答 {len(press.answers)}件）。", File(f"{poll['title']}.csv", data)
            )
        elif press.person != poll["person"]:
            room.say(f"{press.by}さん、「{poll['title']}」を締め切れるのは{poll['by']}さんだけです。")
        else:
            _close(room, press.post, poll)

    def on_timer(self, room: Room, note: str) -> None:
        poll = room.store.get(note)
        if poll is not None and poll["open"]:
            _close(room, note, poll)


def _begun(asked: Asked, message: Message) -> dict[str, Any]:
    return {
        "title": asked.title, "choices": asked.choices, "attendance": asked.attendance, "several": asked.several,
        "secret": asked.secret, "ends": int(asked.ends.timestamp()) if asked.ends else None, "by": message.author,
        "person": message.person, "open": True, "total": 0, "rows": [[choice, "0"] for choice in asked.choices],
    }  # fmt: skip


def _close(room: Room, name: str, poll: dict[str, Any]) -> None:
    poll["open"] = False
    room.change(name, *_shown(poll))
    room.say(f"「{poll['title']}」を締め切りました（回答 {poll['total']}件）。")


def _fields(poll: dict[str, Any]) -> tuple[Field, ...]:
    kind: Any = "choices" if poll["several"] else "choice"
    choice = Field("choice", "出欠" if poll["attendance"] else "回答", kind, tuple(poll["choices"]), required=True)
    return (choice, Field("note", "ひとこと")) if poll["attendance"] else (choice,)


def _shown(poll: dict[str, Any]) -> tuple[Card, Form, Buttons]:
    facts = [f"回答 {poll['total']}件", "無記名" if poll["secret"] else "記名"]
    if not poll["open"]:
        facts.append("締め切りました")
    elif poll["ends"]:
        facts.append(f"締切 {day_and_time(datetime.datetime.fromtimestamp(poll['ends'], JST))}")
    card = Card(
        poll["title"],
        "・".join(facts),
        tuple((row[0], row[1]) for row in poll["rows"]),
        "open" if poll["open"] else "done",
    )
    form = Form(poll["title"], _fields(poll), "回答する", open=poll["open"], secret=poll["secret"])
    close = (Button("close", "締め切る", ask="締め切ると、回答を変えられなくなります。"),) if poll["open"] else ()
    return card, form, Buttons((*close, Button("csv", "結果をCSVで")))


def _keep(room: Room, name: str, poll: dict[str, Any]) -> None:
    room.store[name] = poll
    polls = [name for name in room.store if name.startswith("poll-")]
    for old in polls[:-KEPT]:
        del room.store[old]
