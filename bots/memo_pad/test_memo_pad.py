"""Dialogs with the memo pad."""

from __future__ import annotations

from bots.memo_pad.bot import HELP, MemoPad
from chat_server.bot_dialog import Dialog


def pad() -> Dialog:
    return Dialog(MemoPad(), kind="memo", name="メモ帳")


def test_what_is_put_there_is_listed_by_day_and_kind() -> None:
    dialog = pad()
    assert dialog.say("一覧") == ["メモはまだありません。"]
    assert dialog.say("国道12号の倒木", photos=2) == []
    dialog.wait(days=1)
    assert dialog.say("", files=("図面.pdf",)) == []
    assert dialog.say("様式 https://example.jp/a?b=1、あとで") == ["https://example.jp/a?b=1"]
    assert dialog.say("一覧") == [
        "11月27日\n  3. 09:00 様式 https://example.jp/a?b=1、あとで\n  2. 09:00 [図面.pdf]\n11月26日\n  1. 09:00 [写真] 国道12号の倒木"
    ]
    assert dialog.say("一覧 写真") == ["11月26日\n  1. 09:00 [写真] 国道12号の倒木"]
    assert dialog.say("一覧　ｕｒｌ") == ["11月27日\n  3. 09:00 様式 https://example.jp/a?b=1、あとで"]
    assert dialog.say("一覧 動画") == ["そのようなメモはありません。"]


def test_it_is_found_by_words_in_any_writing() -> None:
    dialog = pad()
    dialog.say("国道１２号の倒木")
    dialog.say("", files=("ﾊﾟﾄﾛｰﾙ.pdf",))
    assert dialog.say("探す 倒木 12号") == ["11月26日\n  1. 09:00 国道１２号の倒木"]
    assert dialog.say("探す パトロール") == ["11月26日\n  2. 09:00 [ﾊﾟﾄﾛｰﾙ.pdf]"]
    assert dialog.say("探す 橋")[0].startswith("「橋」は最近のメモにありません。")


def test_what_is_pinned_stays() -> None:
    dialog = pad()
    assert dialog.say("ピン") == ["そのようなメモはありません。"]
    dialog.say("合言葉の紙は引き出し")
    assert dialog.say("ピン") == ["ピン留めしました: 📌 合言葉の紙は引き出し"]
    dialog.say("きょうだけの話")
    assert dialog.say("片付け 30") == ["30日を過ぎたメモを一覧から外します（今 0件）。ピン留めしたものは残ります。"]
    dialog.wait(days=31)
    dialog.say("新しい話")
    assert dialog.say("一覧") == ["12月27日\n  3. 09:00 新しい話\n11月26日\n  1. 09:00 📌 合言葉の紙は引き出し"]
    assert dialog.say("ピン 外す 1") == ["ピンを外しました: 合言葉の紙は引き出し"]
    assert dialog.say("ピン一覧") == ["ピン留めしたメモはありません。"]
    assert dialog.say("片付け しない") == ["メモを一覧から外すのをやめました。"]
    assert dialog.say("片付け いつか") == ["何日で外すかを書いてください。例: 片付け 30"]


def test_thousands_of_memos_do_not_fill_its_store() -> None:
    dialog = pad()
    dialog.say("合言葉")
    dialog.say("ピン")
    for number in range(300):
        dialog.say(f"{number} " + "長" * 3000 + f" https://example.jp/{'x' * 400}")
    [listed] = dialog.say("一覧")
    assert "\n  301. " in listed
    assert "合言葉" in dialog.say("ピン一覧")[0]


def test_help_and_words_that_only_look_like_a_command() -> None:
    dialog = pad()
    assert dialog.say("ヘルプ") == dialog.say("使い方") == [HELP]
    assert dialog.say("一覧表を作る") == []
    assert dialog.say("探す", photos=1) == [], "a photo with a caption is a memo"
