"""メモ帳: everyone's own room. What is put there on one device is at hand on the others; this keeps order in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bots.memo_pad.memos import KINDS, Memo, found_in, kinds_of, plain, urls_in
from bots.memo_pad.notebook import Notebook, lines
from bots.memo_pad.tidying import ask_to_tidy, pressed
from chat_server.bot_api import Bot, Copy, Message, Offer, Press, Room
from chat_server.bot_times import day_in

HELP: Final = """ここはあなただけのメモ帳です。書いたもの、写真、ファイルは、ほかの端末でもすぐに見られます。
・一覧 … 最近のメモ（「一覧 写真」「一覧 URL」「一覧 ファイル」「一覧 今日」「一覧 11月20日」も）
・探す 道路 … 言葉で探す
・ピン … 直前のメモを残しておく（「ピン 2」も）、「ピン一覧」「ピン 外す 2」
・送る 2 道路課 … 2番のメモをトークルーム「道路課」に転送する
・片付け 30 … 30日を過ぎたメモを消す（「片付け しない」で毎日の片付けをやめる）"""


class MemoPad(Bot):
    title = "メモ帳"
    reading = "めもちょう"
    everywhere = "memo"
    offers = (
        Offer("最近のメモ", "一覧", whole=True),
        Offer("写真のあるメモ", "一覧 写真", whole=True),
        Offer("言葉で探す", "探す ", "探す 道路"),
        Offer("直前のメモをピン留め", "ピン", whole=True),
        Offer("ピン留めしたメモ", "ピン一覧", whole=True),
        Offer("古いメモを片付ける", "片付け 30", "片付け 30（日）"),
        Offer("使い方", "使い方", whole=True),
    )

    def on_message(self, room: Room, message: Message) -> None:
        command, _, rest = plain(message.text).strip().partition(" ")
        act = COMMANDS.get(command)
        if act is not None and not message.photos and not message.files:
            act(room, rest.strip())
            return
        book = Notebook(room)
        memo = _memo(message, book.take_number())
        book.put(memo)
        for url in memo.urls:
            room.post(Copy(url))

    def on_edited(self, room: Room, message: Message) -> None:
        book = Notebook(room)
        if (memo := book.of_message(message.id)) is not None:
            changed = _memo(message, memo.number)
            changed.pinned = memo.pinned
            book.put(changed)

    def on_removed(self, room: Room, message: str) -> None:
        Notebook(room).forget(message)

    def on_press(self, room: Room, press: Press) -> None:
        pressed(room, press)


def _memo(message: Message, number: int) -> Memo:
    urls = urls_in(message.text)
    return Memo(
        number=number,
        at=int(message.at.timestamp()),
        kinds=kinds_of(message.text, message.photos, message.files, urls),
        text=message.text[:200],
        urls=urls,
        files=list(message.files),
        message=message.id,
    )


def _help(room: Room, rest: str) -> None:
    room.say(HELP)


def _list(room: Room, rest: str) -> None:
    memos = Notebook(room).memos
    if rest:
        kind, day = KINDS.get(rest.upper(), rest), day_in(rest, room.now)
        memos = [memo for memo in memos if (memo.day == day if day is not None else kind in memo.kinds)]
    room.say(lines(memos) or ("そのようなメモはありません。" if rest else "メモはまだありません。"))


def _find(room: Room, rest: str) -> None:
    memos = [memo for memo in Notebook(room).memos if found_in(memo, rest)] if rest else []
    room.say(lines(memos) or f"「{rest}」は最近のメモにありません。画面の検索は、古いものも探します。")


def _pin(room: Room, rest: str) -> None:
    book = Notebook(room)
    off = rest.startswith("外す")
    number = rest.removeprefix("外す").strip()
    chosen = book.memos[-1:] if not rest else [memo for memo in book.memos if str(memo.number) == number]
    chosen = [memo for memo in chosen if memo.pinned or not off]
    for memo in chosen:
        memo.pinned = not off
        room.pin(memo.message, on=not off)
        book.put(memo)
    said = "ピンを外しました" if off else "ピン留めしました"
    room.say("\n".join(f"{said}: {memo.line}" for memo in chosen) or "そのようなメモはありません。")


def _pinned(room: Room, rest: str) -> None:
    room.say(lines([memo for memo in Notebook(room).memos if memo.pinned]) or "ピン留めしたメモはありません。")


def _send(room: Room, rest: str) -> None:
    number, _, name = rest.partition(" ")
    memo = next((memo for memo in Notebook(room).memos if str(memo.number) == number), None)
    if not name.strip():
        room.say("番号と、送り先のトークルームの名前を書いてください。例: 送る 2 道路課")
    elif memo is None:
        room.say("そのようなメモはありません。")
    else:
        room.send_on(memo.message, name.strip()[:200])


COMMANDS: Final[dict[str, Callable[[Room, str], None]]] = {
    "ヘルプ": _help, "使い方": _help, "?": _help, "一覧": _list, "探す": _find, "ピン": _pin, "ピン一覧": _pinned,
    "送る": _send, "転送": _send, "片付け": ask_to_tidy,
}  # fmt: skip
