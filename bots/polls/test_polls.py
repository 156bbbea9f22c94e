from __future__ import annotations

import pytest

from bots.polls.bot import Polls
from chat_server import bot_wire as wire
from chat_server.bot_api import Buttons, Card, Form
from chat_server.bot_dialog import Dialog


def poll(words: str, *, author: str = "田中 美咲") -> Dialog:
    dialog = Dialog(Polls())
    dialog.say(words, author=author)
    return dialog


def shown(dialog: Dialog, name: str = "poll-1") -> tuple[Card, Form]:
    card, form, _ = dialog.posts[name].parts
    assert isinstance(card, Card)
    assert isinstance(form, Form)
    return card, form


def test_a_poll_is_asked_answered_and_answered_anew() -> None:
    dialog = poll("投票 昼食 和食 洋食")
    card, form = shown(dialog)
    assert (card.title, card.text, card.rows) == ("昼食", "回答 0件・記名", (("和食", "0"), ("洋食", "0")))
    assert form.fields[0].choices == ("和食", "洋食")
    dialog.answer("poll-1", by="高橋 健", choice="和食")
    dialog.answer("poll-1", by="山崎 凛", choice="洋食")
    dialog.answer("poll-1", by="高橋 健", choice="洋食")
    assert shown(dialog)[0].rows == (("和食", "0"), ("洋食", "2（高橋 健、山崎 凛）"))


def test_choices_stand_in_lines_and_the_deadline_too() -> None:
    dialog = poll("複数投票 歓送迎会の日\n・4月3日(金)\n・4月10日(金)\n締切 12月1日17時")
    card, form = shown(dialog)
    assert card.text == "回答 0件・記名・締切 12月1日(火) 17:00"
    assert (form.fields[0].kind, form.fields[0].choices) == ("choices", ("4月3日(金)", "4月10日(金)"))
    dialog.answer("poll-1", choice=["4月3日(金)", "4月10日(金)"])
    assert dialog.wait(days=6) == ["「歓送迎会の日」を締め切りました（回答 1件）。"]
    assert not shown(dialog)[1].open
    with pytest.raises(KeyError):
        dialog.answer("poll-1", choice=["4月3日(金)"])


def test_attendance_asks_for_a_word_too() -> None:
    dialog = poll("出欠 12月18日の忘年会")
    assert [field.key for field in shown(dialog)[1].fields] == ["choice", "note"]
    dialog.answer("poll-1", by="高橋 健", department="維持係", choice="出席", note="=遅れます")
    assert dialog.press("csv", "poll-1") == ["「12月18日の忘年会」の結果です（回答 1件）。\n12月18日の忘年会.csv"]
    [_, file] = dialog.posts["1"].parts
    assert isinstance(file, wire.File)
    assert file.data.decode("utf-8-sig").splitlines() == [
        "所属,氏名,出欠,ひとこと,回答日時",
        "維持係,高橋 健,出席,'=遅れます,2026-11-26 09:00",
    ]


def test_a_secret_poll_names_nobody_anywhere() -> None:
    dialog = poll("無記名投票 続ける? はい いいえ")
    dialog.answer("poll-1", by="高橋 健", choice="はい")
    assert shown(dialog)[0].rows == (("はい", "1"), ("いいえ", "0"))
    dialog.press("csv", "poll-1")
    [_, file] = dialog.posts["1"].parts
    assert isinstance(file, wire.File)
    assert file.data.decode("utf-8-sig").splitlines() == ["回答", "はい"]


def test_who_asked_closes_and_nobody_else() -> None:
    dialog = poll("投票 昼食 和食 洋食")
    assert dialog.press("close", "poll-1", by="高橋 健") == [
        "高橋 健さん、「昼食」を締め切れるのは田中 美咲さんだけです。"
    ]
    assert dialog.press("close", "poll-1") == ["「昼食」を締め切りました（回答 0件）。"]
    [_, _, buttons] = dialog.posts["poll-1"].parts
    assert isinstance(buttons, Buttons)
    assert [button.key for button in buttons.buttons] == ["csv"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("投票", "何についてかを書いてください。"),
        ("投票 昼食 和食", "選択肢は2〜50個、それぞれ100文字までです。"),
        ("投票 昼食", "選択肢を二つ以上書いてください。"),
        ("投票 昼食 和食 " + "長" * 101, "選択肢は2〜50個、それぞれ100文字までです。"),
        ("投票 昼食\n・和食\n・洋食\n締切 いつか", "締切「いつか」がいつか分かりませんでした。例: 締切 12月1日17時"),
        ("投票 昼食\n・和食\n・洋食\n締切 今日8時", "締切がもう過ぎています。"),
    ],
)
def test_what_it_cannot_make_a_poll_of_it_says(words: str, said: str) -> None:
    [answer] = Dialog(Polls()).say(words)
    assert answer.startswith(f"{said}\n皆さんに聞きたいことを書いてください。")


def test_it_keeps_out_of_what_is_not_for_it() -> None:
    assert Dialog(Polls()).say("投票所の準備について") == []
    assert Dialog(Polls()).say("出欠席の集計です") == []


def test_it_forgets_the_oldest() -> None:
    dialog = Dialog(Polls())
    for number in range(21):
        dialog.say(f"投票 {number} はい いいえ")
    assert dialog.press("csv", "poll-1") == ["この投票は古いため、もう操作できません。"]
    assert len(dialog.press("csv", "poll-2")) == 1
