"""リマインダー: 「リマインド 明日9時に議会の資料」 says so again at that time, once or every day or week."""

from __future__ import annotations

import datetime
from typing import Any, Final

from chat_server.bot_api import JST, Bot, Message, Offer, Room
from chat_server.bot_times import When, day_and_time, understood

WORD: Final = "リマインド"
HELP: Final = """「リマインド」で始めて、いつ・何を、と書いてください。
・リマインド 明日9時に議会の資料
・リマインド 30分後に電話
・リマインド 毎週金曜17時に週報
・リマインド 一覧
・リマインド 取消 2"""


class Reminders(Bot):
    title = "リマインダー"
    reading = "りまいんだー"
    offers = (
        Offer("時間になったら知らせる", f"{WORD} ", f"{WORD} 明日9時に議会の資料"),
        Offer("予定しているお知らせ", f"{WORD} 一覧", whole=True),
    )

    def on_message(self, room: Room, message: Message) -> None:
        if not message.text.startswith(WORD):
            return
        asked = message.text.removeprefix(WORD).strip(" 　:：")
        if asked in ("", "ヘルプ"):
            room.say(HELP)
        elif asked == "一覧":
            room.say(_listed(room))
        elif asked.startswith("取消"):
            _cancel(room, asked.removeprefix("取消").strip())
        elif (when := understood(asked, message.at)) is None:
            room.say("いつお知らせすればよいか分かりませんでした。\n" + HELP)
        else:
            _promise(room, when, message.author)

    def on_timer(self, room: Room, note: str) -> None:
        kept = room.store.get(note)
        if kept is None:  # it was cancelled
            return
        room.say(f"⏰ {kept['what']}（{kept['by']}さんから）")
        if kept["every"]:
            _call(room, note, kept, _time(kept["at"]) + datetime.timedelta(days=kept["every"]))
        else:
            del room.store[note]


def _promise(room: Room, when: When, author: str) -> None:
    number = str(max(map(int, room.store), default=0) + 1)
    kept = {"what": when.what, "by": author, "every": when.every, "at": 0}
    _call(room, number, kept, when.at)
    room.say(f"{when.told} にお知らせします: {when.what}（番号 {number}）")


def _call(room: Room, number: str, kept: dict[str, Any], at: datetime.datetime) -> None:
    room.store[number] = {**kept, "at": int(at.timestamp())}
    room.remind(at, number)


def _listed(room: Room) -> str:
    if not room.store:
        return "予定しているお知らせはありません。"
    lines = sorted(room.store.items(), key=lambda item: item[1]["at"])
    return "\n".join(f"{number}. {day_and_time(_time(kept['at']))} {kept['what']}" for number, kept in lines)


def _cancel(room: Room, number: str) -> None:
    kept = room.store.pop(number, None)
    room.say(f"取り消しました: {kept['what']}" if kept else f"番号 {number} のお知らせはありません。\n{_listed(room)}")


def _time(at: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at, JST)
