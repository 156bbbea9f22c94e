"""片付け: memos are really gone afterwards, so it is asked first; what is pinned stays."""

from __future__ import annotations

import datetime
from typing import Final

from bots.memo_pad.notebook import Notebook
from chat_server.bot_api import Button, Buttons, Card, Press, Room

LONGEST: Final = 3650
ONCE, DAILY, NOT = "once", "daily", "not"


def ask_to_tidy(room: Room, rest: str) -> None:
    days = rest.removesuffix("日").strip()
    if rest == "しない":
        room.store.pop("days", None)
        room.tidy(days=0)
        room.say("毎日の片付けをやめました。")
    elif days.isascii() and days.isdecimal() and 1 <= int(days) <= LONGEST:
        number = room.store.get("asked", 0) + 1
        room.store["asked"] = number
        room.store["asking"] = int(days)
        oldest = room.now - datetime.timedelta(days=int(days))
        book = Notebook(room)
        count = sum(memo.when < oldest and not memo.pinned for memo in book.memos)
        # The room holds more than the pad remembers: a number would be too small a one, and cannot be undone.
        which = f"今ある{count}件を消す" if book.is_whole else "今あるものを全部消す"
        room.post(
            Card("片付け", f"{int(days)}日を過ぎたメモと、このメモ帳の返事を消します。元には戻せません。ピン留めしたものは残ります。"),
            Buttons((
                Button(ONCE, which, "danger", "消すと元に戻せません。消しますか。"),
                Button(DAILY, "毎日消す", "danger", f"これから毎日、{int(days)}日を過ぎたものを消します。よろしいですか。"),
                Button(NOT, "やめる"),
            )),
            name=f"tidy-{number}",
        )  # fmt: skip
    else:
        daily = room.store.get("days")
        now = f"今は毎日、{daily}日を過ぎたものを消しています。" if daily else ""
        room.say(f"{now}何日で消すかを書いてください。例: 片付け 30")


def pressed(room: Room, press: Press) -> None:
    if press.post != f"tidy-{room.store.get('asked')}" or "asking" not in room.store:
        return  # of an older question, or answered
    days = room.store.pop("asking")
    if press.key == ONCE:
        room.tidy(before=room.now - datetime.timedelta(days=days))
        told = f"{days}日を過ぎたメモを消しています。"
    elif press.key == DAILY:
        room.store["days"] = days
        room.tidy(days=days)
        told = f"これから毎日、{days}日を過ぎたメモを消します。「片付け しない」でやめられます。"
    else:
        told = "片付けをやめました。"
    room.change(press.post, Card("片付け", told, state="stopped" if press.key == NOT else "done"))
