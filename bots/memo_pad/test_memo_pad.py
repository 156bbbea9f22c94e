"""Dialogs with the memo pad."""

from __future__ import annotations

import datetime

import pytest

from bots.memo_pad.bot import HELP, MemoPad
from chat_server.bot_api import Buttons
from chat_server.bot_dialog import Dialog
from chat_server.bot_wire import Tidy


def _ms(at: datetime.datetime) -> int:
    return int(at.timestamp() * 1000)


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


def test_it_is_listed_of_a_day() -> None:
    dialog = pad()
    dialog.say("きのうの話")
    dialog.wait(days=1)
    dialog.say("きょうの話")
    assert dialog.say("一覧 今日") == ["11月27日\n  2. 09:00 きょうの話"]
    assert dialog.say("一覧 昨日") == dialog.say("一覧 １１月２６日") == ["11月26日\n  1. 09:00 きのうの話"]
    assert dialog.say("一覧 2月30日") == ["そのようなメモはありません。"]


def test_what_is_pinned_is_pinned_in_the_room_as_well() -> None:
    dialog = pad()
    assert dialog.say("ピン") == ["そのようなメモはありません。"]
    dialog.say("合言葉の紙は引き出し")
    dialog.say("電話する")
    assert dialog.say("ピン 1") == ["ピン留めしました: 📌 合言葉の紙は引き出し"]
    assert dialog.say("ピン") == ["ピン留めしました: 📌 電話する"]
    assert dialog.pins == {"m2": True, "m3": True}
    assert dialog.say("ピン 外す 1") == ["ピンを外しました: 合言葉の紙は引き出し"]
    assert dialog.pins == {"m2": False, "m3": True}
    assert dialog.say("ピン 外す 1") == dialog.say("ピン 9") == ["そのようなメモはありません。"]
    assert dialog.say("ピン一覧") == ["11月26日\n  2. 09:00 📌 電話する"]


def test_a_memo_is_sent_on_to_a_room() -> None:
    dialog = pad()
    dialog.say("国道12号の倒木", photos=2)
    assert dialog.say("送る 1 道路課 現場連絡") == [], "what becomes of it is the server's to say"
    assert dialog.sent_on == [("m1", "道路課 現場連絡")]
    assert dialog.say("送る 9 道路課") == ["そのようなメモはありません。"]
    assert "例: 送る 2 道路課" in dialog.say("送る 1")[0]


def test_it_tidies_up_when_it_was_told_so_and_has_asked() -> None:
    dialog = pad()
    dialog.say("古い話")
    dialog.say("大事な話")
    dialog.say("ピン")
    dialog.wait(days=31)
    assert dialog.say("片付け 30") == ["片付け"]
    [_, buttons] = dialog.posts["tidy-1"].parts
    assert isinstance(buttons, Buttons)
    assert [button.label for button in buttons.buttons] == ["今ある1件を消す", "毎日消す", "やめる"]
    assert dialog.tidied == [], "it asks first"
    dialog.press("once", "tidy-1")
    assert dialog.tidied == [Tidy(before=_ms(dialog.now - datetime.timedelta(days=30)))]
    with pytest.raises(KeyError):
        dialog.press("once", "tidy-1")


def test_it_tidies_up_every_day_until_it_is_told_not_to() -> None:
    dialog = pad()
    dialog.say("片付け ３０日")
    dialog.press("daily", "tidy-1")
    assert "今は毎日、30日を過ぎたもの" in dialog.say("片付け")[0]
    assert dialog.say("片付け しない") == ["毎日の片付けをやめました。"]
    assert dialog.tidied == [Tidy(days=30), Tidy(days=0)]
    dialog.say("片付け 7")
    dialog.press("not", "tidy-2")
    assert len(dialog.tidied) == 2
    assert dialog.say("片付け いつか") == dialog.say("片付け 0") == ["何日で消すかを書いてください。例: 片付け 30"]


def test_an_older_question_about_tidying_is_answered_no_more() -> None:
    dialog = pad()
    dialog.say("片付け 30")
    dialog.say("片付け 7")
    dialog.press("once", "tidy-1")
    assert dialog.tidied == []
    dialog.press("once", "tidy-2")
    assert len(dialog.tidied) == 1


def test_what_was_changed_or_taken_back_is_remembered_as_it_is_now() -> None:
    dialog = pad()
    dialog.say("様式 https://example.jp/old")
    dialog.say("消える話")
    dialog.say("ピン 1")
    assert dialog.edit("m1", "様式 https://example.jp/new") == []
    assert dialog.say("一覧 URL") == ["11月26日\n  1. 09:00 📌 様式 https://example.jp/new"]
    dialog.remove("m2")
    assert dialog.say("探す 消える")[0].startswith("「消える」は")
    assert dialog.edit("m2", "戻る話") == []
    assert "戻る話" not in dialog.say("一覧")[0]


def test_thousands_of_memos_do_not_fill_its_store() -> None:
    dialog = pad()
    dialog.say("合言葉")
    dialog.say("ピン")
    for number in range(300):
        dialog.say(f"{number} " + "長" * 3000 + f" https://example.jp/{'x' * 400}")
    [listed] = dialog.say("一覧")
    assert "\n  301. " in listed
    assert "合言葉" in dialog.say("ピン一覧")[0]


def test_the_newest_is_at_hand_however_much_is_pinned() -> None:
    dialog = pad()
    for number in range(90):
        dialog.say(f"{number} " + "長" * 250)
        dialog.say("ピン")
    dialog.say("電話する " + "長" * 250)
    assert dialog.say("送る 91 道路課") == []
    assert dialog.sent_on == [("m181", "道路課")]
    assert "📌 電話する" in dialog.say("ピン")[0], "not the one before"


def test_many_files_with_long_names_fit_into_a_list() -> None:
    dialog = pad()
    for number in range(20):
        dialog.say("あ" * 80, files=tuple(f"{number:02}{'資料' * 20}{n}.pdf" for n in range(5)), photos=1)
    [listed] = dialog.say("一覧 ファイル")
    assert listed.count("\n  ") == 20
    assert "1. 09:00 [写真] [00資料資料資料資料資料資料資…料資料0.pdf]" in listed
    assert "資料2.pdf] [ほか2件]" in listed


def test_what_it_does_not_remember_is_not_counted_as_nothing() -> None:
    dialog = pad()
    for number in range(120):
        dialog.say(f"{number} " + "長" * 250)
    dialog.wait(days=31)
    dialog.say("片付け 30")
    [_, buttons] = dialog.posts["tidy-1"].parts
    assert isinstance(buttons, Buttons)
    assert buttons.buttons[0].label == "今あるものを全部消す"


def test_help_and_words_that_only_look_like_a_command() -> None:
    dialog = pad()
    assert dialog.say("ヘルプ") == dialog.say("使い方") == [HELP]
    assert dialog.say("一覧表を作る") == []
    assert dialog.say("探す", photos=1) == [], "a photo with a caption is a memo"
