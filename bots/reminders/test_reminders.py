"""Dialogs with the reminders."""

from __future__ import annotations

import pytest

from bots.reminders.bot import HELP, Reminders
from chat_server.bot_dialog import Dialog


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("明日9時に議会の資料", "11月27日(金) 9:00 にお知らせします: 議会の資料（番号 1）"),
        ("明日９時半に議会の資料", "11月27日(金) 9:30 にお知らせします: 議会の資料（番号 1）"),
        ("金曜の17時に毎週 週報", "毎週、次は 11月27日(金) 17:00 にお知らせします: 週報（番号 1）"),
        ("毎週木曜8時に朝礼", "毎週、次は 12月3日(木) 8:00 にお知らせします: 朝礼（番号 1）"),
        ("毎日8:30 ラジオ体操", "毎日、次は 11月27日(金) 8:30 にお知らせします: ラジオ体操（番号 1）"),
        ("30分後に電話", "11月26日(木) 9:30 にお知らせします: 電話（番号 1）"),
        ("2週間後、検収", "12月10日(木) 9:00 にお知らせします: 検収（番号 1）"),
        ("4月1日9時に辞令交付", "4月1日(木) 9:00 にお知らせします: 辞令交付（番号 1）"),
        ("午後3時に来客", "11月26日(木) 15:00 にお知らせします: 来客（番号 1）"),
    ],
)
def test_times_are_understood(asked: str, told: str) -> None:
    assert Dialog(Reminders()).say(f"リマインド {asked}") == [told]


@pytest.mark.parametrize("asked", ["そのうち電話", "25時に来客", "2月30日9時に検収", "明日9時に", "9999999分後に電話"])
def test_what_is_no_time_is_said_to_be_none(asked: str) -> None:
    [answer] = Dialog(Reminders()).say(f"リマインド {asked}")
    assert answer.startswith("いつお知らせすればよいか")


def test_once_and_no_more() -> None:
    dialog = Dialog(Reminders())
    dialog.say("リマインド 30分後に電話", author="高橋 健")
    assert dialog.wait(minutes=29) == []
    assert dialog.wait(minutes=2) == ["⏰ 電話（高橋 健さんから）"]
    assert dialog.wait(days=30) == []
    assert dialog.say("リマインド 一覧") == ["予定しているお知らせはありません。"]


def test_every_week_until_it_is_cancelled() -> None:
    dialog = Dialog(Reminders())
    dialog.say("リマインド 毎週金曜17時に週報")
    assert dialog.wait(days=15) == ["⏰ 週報（田中 美咲さんから）"] * 2
    assert dialog.say("リマインド 一覧") == ["1. 12月11日(金) 17:00 週報"]
    assert dialog.say("リマインド 取消 1") == ["取り消しました: 週報"]
    assert dialog.wait(days=15) == []
    assert dialog.say("リマインド 取消 1") == ["番号 1 のお知らせはありません。\n予定しているお知らせはありません。"]


def test_it_speaks_when_it_is_spoken_to() -> None:
    dialog = Dialog(Reminders())
    assert dialog.say("明日9時に会議です。") == []
    assert dialog.say("リマインド") == dialog.say("リマインド　ヘルプ") == [HELP]
