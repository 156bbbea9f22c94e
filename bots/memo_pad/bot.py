"""メモ帳: everyone's own room. What is put there on one device is at hand on the others; this keeps order in it."""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Callable
from typing import Any, Final

from bots.memo_pad.memos import KINDS, Memo, found_in, kinds_of, urls_in
from chat_server.bot_api import JST, Bot, Message, Room

KEPT_BYTES: Final = 40_000
"""Of memos that it remembers, the newest and the pinned; search finds them all."""
SHOWN: Final = 20
HELP: Final = """ここはあなただけのメモ帳です。書いたもの、写真、ファイルは、ほかの端末でもすぐに見られます。
・一覧 … 最近のメモ（「一覧 写真」「一覧 URL」「一覧 ファイル」も）
・探す 道路 … 言葉で探す
・ピン … 直前のメモを残しておく、「ピン一覧」「ピン 外す 2」
・片付け 30 … 30日を過ぎたメモを一覧から外す（「片付け しない」で元に戻す）"""


class MemoPad(Bot):
    title = "メモ帳"
    reading = "めもちょう"
    everywhere = "memo"

    def on_message(self, room: Room, message: Message) -> None:
        command, _, rest = unicodedata.normalize("NFKC", message.text).strip().partition(" ")
        act = COMMANDS.get(command)
        if act is not None and not message.photos and not message.files:
            act(room, rest.strip())
        else:
            _keep(room, message)


def _keep(room: Room, message: Message) -> None:
    memos = _memos(room)
    urls = urls_in(message.text)
    memo = Memo(
        number=room.store.get("next", 1),
        at=int(message.at.timestamp()),
        kinds=kinds_of(message.text, message.photos, message.files, urls),
        text=message.text[:200],
        urls=urls,
        files=list(message.files),
    )
    room.store["next"] = memo.number + 1
    _put(room, [*memos, memo])
    for url in urls:
        room.say(url)  # alone in a message, one tap copies it


def _help(room: Room, rest: str) -> None:
    room.say(HELP)


def _list(room: Room, rest: str) -> None:
    kind = KINDS.get(rest.upper(), rest)
    memos = [memo for memo in _memos(room) if not rest or kind in memo.kinds]
    room.say(_lines(memos) or ("そのようなメモはありません。" if rest else "メモはまだありません。"))


def _find(room: Room, rest: str) -> None:
    memos = [memo for memo in _memos(room) if found_in(memo, rest)] if rest else []
    room.say(_lines(memos) or f"「{rest}」は最近のメモにありません。画面の検索は、古いものも探します。")


def _pin(room: Room, rest: str) -> None:
    memos = _memos(room)
    if rest.startswith("外す"):
        number = rest.removeprefix("外す").strip()
        chosen = [memo for memo in memos if memo.pinned and str(memo.number) == number]
    else:
        chosen = memos[-1:]
    for memo in chosen:
        memo.pinned = not rest
    _put(room, memos)
    said = "ピンを外しました" if rest else "ピン留めしました"
    room.say("\n".join(f"{said}: {memo.line}" for memo in chosen) or "そのようなメモはありません。")


def _pinned(room: Room, rest: str) -> None:
    room.say(_lines([memo for memo in _memos(room) if memo.pinned]) or "ピン留めしたメモはありません。")


def _tidy(room: Room, rest: str) -> None:
    days = rest.removesuffix("日").strip()
    if days.isdecimal() and 1 <= int(days) <= 3650:
        room.store["days"] = int(days)
        before = len(_memos(room))
        _put(room, _memos(room))
        room.say(
            f"{int(days)}日を過ぎたメモを一覧から外します（今 {before - len(_memos(room))}件）。ピン留めしたものは残ります。"
        )
    elif rest == "しない":
        room.store.pop("days", None)
        room.say("メモを一覧から外すのをやめました。")
    else:
        room.say("何日で外すかを書いてください。例: 片付け 30")


COMMANDS: Final[dict[str, Callable[[Room, str], None]]] = {
    "ヘルプ": _help, "使い方": _help, "?": _help, "一覧": _list, "探す": _find, "ピン": _pin, "ピン一覧": _pinned, "片付け": _tidy,
}  # fmt: skip


def _memos(room: Room) -> list[Memo]:
    return [Memo(**kept) for kept in room.store.get("memos", [])]


def _put(room: Room, memos: list[Memo]) -> None:
    """The newest, the pinned, and nothing whose time is over."""
    days = room.store.get("days")
    oldest = 0 if days is None else (room.now - datetime.timedelta(days=days)).timestamp()
    left, kept = KEPT_BYTES, list[Memo]()
    for memo in sorted(memos, key=lambda memo: (memo.pinned, memo.number), reverse=True):
        left -= memo.bytes
        if left >= 0 and (memo.pinned or memo.at >= oldest):
            kept.append(memo)
    room.store["memos"] = [memo.kept() for memo in sorted(kept, key=lambda memo: memo.number)]


def _lines(memos: list[Memo]) -> str:
    """By day, the newest first."""
    lines: list[str] = []
    for memo in reversed(memos[-SHOWN:]):
        at: Any = datetime.datetime.fromtimestamp(memo.at, JST)
        day = f"{at.month}月{at.day}日"
        if day not in lines:
            lines.append(day)
        lines.append(f"  {memo.number}. {at:%H:%M} {memo.line}")
    return "\n".join(lines)
