from __future__ import annotations

import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from bots.sanitizing_upload.bot import SanitizingUpload
from chat_server import bot_wire as wire
from chat_server.bot_api import JST, Buttons, Card, Copy
from chat_server.bot_dialog import Dialog

ENDS = datetime.datetime(2026, 12, 5, 17, 0, tzinfo=JST)
LINK = wire.Link(
    id="a" * 26, state="new", recipient="山田 太郎", company="山田建設", purpose="橋りょう点検の写真", expected="",
    asker="高橋 健", person="p" * 26, calls=("p" * 26,), ends=int(ENDS.timestamp() * 1000), most_files=100, received=0,
)  # fmt: skip
CARD = f"link-{LINK.id}"
CALLED = f"<@user:{'p' * 26}> "


def handed(number: int, state: str = "released", **more: Any) -> wire.Handed:
    told: dict[str, Any] = {"sentences": (), "reason": "", "photo": True, "posted": False, **more}
    at = int(datetime.datetime(2026, 11, 26, 9, 0, tzinfo=JST).timestamp() * 1000)
    told.setdefault("decided", None if state == "waiting" else at)
    return wire.Handed(f"file-{number}", f"写真{number}.jpg", 1 << 20, state, **told)


def received(*files: wire.Handed, state: str = "received") -> wire.Link:
    return replace(LINK, state=state, received=len(files), files=files)


def shown(dialog: Dialog) -> tuple[dict[str, str], list[str]]:
    """The card's rows, and the keys of its buttons."""
    card, *buttons = dialog.posts[CARD].parts
    assert isinstance(card, Card)
    return dict(card.rows), [one.key for each in buttons if isinstance(each, Buttons) for one in each.buttons]


def posted(dialog: Dialog, number: int) -> list[str]:
    """Ids of the files of a nameless post."""
    return [part.id for part in dialog.posts[str(number)].parts if isinstance(part, wire.HandedIn)]


def test_a_link_has_a_card_that_follows_it() -> None:
    dialog = Dialog(SanitizingUpload())
    assert dialog.link(LINK) == ["ファイルの受け取り: 橋りょう点検の写真"]
    rows, buttons = shown(dialog)
    assert (rows["状態"], rows["相手"], rows["期限"]) == (
        "まだ公開していません", "山田建設 山田 太郎様", "12月5日(土) 17:00",
    )  # fmt: skip
    assert buttons == ["extend", "revoke"]
    for state, said, keys in (
        ("open", "受け付けています", ["extend", "revoke"]),
        ("opened", "相手が開きました", ["extend", "revoke"]),
        ("revoked", "取り消しました", ["again"]),
    ):
        assert dialog.link(replace(LINK, state=state)) == []
        assert (shown(dialog)[0]["状態"], shown(dialog)[1]) == (said, keys)


def test_what_arrives_is_posted_with_its_verdicts_and_the_asker_is_called() -> None:
    dialog = Dialog(SanitizingUpload())
    dialog.link(LINK)
    files = (
        handed(1),
        handed(2, sentences=("マクロ1件を取り除きました", "マクロで動く機能は使えません。")),
        handed(3, "refused", reason="プログラムは受け取れません。資料だけを送ってください。"),
    )
    assert dialog.link(received(*files)) == [
        (
            f"{CALLED}山田建設 山田 太郎様から、「橋りょう点検の写真」の2件のファイルが届きました。\n"
            "・写真1.jpg(1.0 MB): 取り除いたものはありません\n"
            "・写真2.jpg(1.0 MB): マクロ1件を取り除きました、マクロで動く機能は使えません。\n"
            "受け取れなかったファイルが1件あります。\n"
            "・写真3.jpg(1.0 MB): プログラムは受け取れません。資料だけを送ってください。"
        )
    ]
    assert posted(dialog, 1) == ["file-1", "file-2", "file-3"]
    assert shown(dialog)[0]["状態"] == "3件を受け取りました(続けて受け付けています)"
    assert dialog.link(received(*files)) == [], "once"


def test_files_wait_for_each_other_a_minute_and_no_longer() -> None:
    dialog = Dialog(SanitizingUpload())
    dialog.link(LINK)
    assert dialog.link(received(handed(1), handed(2, "waiting"))) == []
    assert [said.splitlines()[1] for said in dialog.wait(minutes=1)] == [
        "・写真1.jpg(1.0 MB): 取り除いたものはありません"
    ]
    assert dialog.link(received(handed(1), handed(2))) != []
    assert posted(dialog, 2) == ["file-2"]


def test_many_files_come_ten_in_a_message() -> None:
    dialog = Dialog(SanitizingUpload())
    dialog.link(LINK)
    files = [handed(number) for number in range(100)]
    assert len(dialog.link(received(*files))) == 8
    assert len(dialog.wait(seconds=2)) == 2
    assert [len(posted(dialog, number)) for number in range(1, 11)] == [10] * 10


def test_all_is_here() -> None:
    dialog = Dialog(SanitizingUpload())
    dialog.link(LINK)
    dialog.link(received(handed(1)))
    assert dialog.link(received(handed(1), handed(2, "waiting"), state="done")) == [], "the last word comes last"
    assert dialog.link(received(handed(1), state="done")) == [
        f"{CALLED}山田建設 山田 太郎様からの「橋りょう点検の写真」は、これで全部です(1件)。"
    ]
    assert (shown(dialog)[0]["状態"], shown(dialog)[1]) == ("完了しました(受け取り 1件)", ["again"])


def test_who_never_said_that_this_was_all_is_told_of_as_that() -> None:
    dialog = Dialog(SanitizingUpload())
    dialog.link(LINK)
    [_, said] = dialog.link(replace(received(handed(1), state="done"), silent=True))
    assert "追加のファイルが届かないまま時間が過ぎたため、受け付けを終えました(1件)" in said


def test_a_deadline_that_passed_with_nothing_is_told_once_with_words_to_send_on() -> None:
    dialog = Dialog(SanitizingUpload())
    dialog.link(LINK)
    late = replace(LINK, state="expired")
    [said] = dialog.link(late)
    assert said.startswith(f"{CALLED}山田建設 山田 太郎様からの「橋りょう点検の写真」は、期限までに届きませんでした。")
    words = dialog.posts["1"].parts[-1]
    assert isinstance(words, Copy)
    assert "12月5日(土) 17:00" in words.text
    assert "<@" not in words.text
    assert dialog.link(late) == []
    assert shown(dialog)[1] == ["extend", "again"]
    assert dialog.link(replace(LINK, state="open")) == []
    assert len(dialog.link(late)) == 1, "of the new deadline again"


def test_buttons_do_it_with_the_rights_of_who_pressed() -> None:
    dialog = Dialog(SanitizingUpload())
    dialog.link(LINK)
    assert dialog.press("extend", CARD) == []
    assert dialog.press("revoke", CARD) == []
    dialog.link(replace(LINK, state="done"))
    assert dialog.press("again", CARD) == []
    assert dialog.links == [wire.ExtendLink(LINK.id, 7), wire.RevokeLink(LINK.id), wire.AgainLink(LINK.id)]


def test_what_waits_for_approval_is_told_once_and_those_who_may_are_called() -> None:
    dialog = Dialog(SanitizingUpload())
    dialog.link(LINK)
    held = received(handed(1, "held", decided=None, sentences=("マクロ1件があります",)), handed(2))
    held = replace(held, approvers=("q" * 26,))
    told, arrived = dialog.link(held)
    assert told == (
        f"<@user:{'q' * 26}> 山田建設 山田 太郎様からの「橋りょう点検の写真」のうち1件は、承認されるまでだれも開けません。"
        "承認できるのは団体の管理者(依頼した本人を除く)です(管理の「承認待ちのファイル」)。\n"
        "・写真1.jpg(1.0 MB): マクロ1件があります"
    )
    assert "1件のファイルが届きました" in arrived
    assert shown(dialog)[0]["承認待ち"] == "1件(承認できる人: 団体の管理者(依頼した本人を除く))"
    assert dialog.link(replace(held, admins=False)) == [], "once"
    assert "所属の管理者" in shown(dialog)[0]["承認待ち"]


def test_what_was_approved_names_its_approver_and_never_says_that_something_was_removed() -> None:
    dialog = Dialog(SanitizingUpload())
    dialog.link(LINK)
    at = int(ENDS.timestamp() * 1000)
    approved = handed(1, approver="中村 真理", approved=at, why="電話で確認した")
    refused = handed(2, "refused", reason="承認されませんでした。", approver="中村 真理", approved=at, why="用途が不明")
    [said] = dialog.link(received(approved, refused))
    assert "・写真1.jpg(1.0 MB): 原本のまま渡しました(承認: 中村 真理、12月5日(土) 17:00、理由: 電話で確認した)" in said
    assert "・写真2.jpg(1.0 MB): 承認されませんでした。(中村 真理、12月5日(土) 17:00、理由: 用途が不明)" in said
    assert "承認待ち" not in shown(dialog)[0]


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("受け取り 山田 太郎様 橋りょう点検の写真", wire.AskLink("山田 太郎", "橋りょう点検の写真")),
        ("受取り 山田さん 図面一式\n会社 山田建設\n期限 10日", wire.AskLink("山田", "図面一式", "山田建設", 10)),
        ("受け取り　山田　図面　一式", wire.AskLink("山田", "図面　一式")),
    ],
)
def test_a_link_is_asked_for_in_words(words: str, asked: wire.AskLink) -> None:
    dialog = Dialog(SanitizingUpload())
    assert dialog.say(words) == []
    assert dialog.links == [asked]


@pytest.mark.parametrize("words", ["受け取り 山田", "受け取り 山田様 図面\n期限 99日"])
def test_what_is_missing_it_says(words: str) -> None:
    dialog = Dialog(SanitizingUpload())
    assert len(dialog.say(words)) == 1
    assert dialog.links == []


def test_it_keeps_out_of_what_is_not_for_it() -> None:
    assert Dialog(SanitizingUpload()).say("受け取りました。ありがとうございます") == []
    assert Dialog(SanitizingUpload()).say("") == []
