"""What opens over a room, and the way there, in either language; so that whoever tries "every dialog" tries the same ones. Pages with
an address of their own are in test_pages.py; what opens over those (people, devices) is tried in test_admin.py and
test_settings.py."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import Locator, Page

from tests.browser.conftest import Hand, Person
from tests.browser.photos import photo

MESSAGE: Final = "PR-12"
"""Stands in the message that is acted on: neither Japanese nor English."""


def either(japanese: str, english: str) -> re.Pattern[str]:
    """The whole name, in the page's language."""
    return re.compile(f"^({japanese}|{english})$")


@dataclass
class House:
    """Somebody at a room with a message, a photo, a file and a note in it."""

    person: Person
    room: str

    @property
    def page(self) -> Page:
        return self.person.page

    def button(self, japanese: str, english: str, where: Any = None) -> Locator:
        found: Locator = (where or self.page).get_by_role("button", name=either(japanese, english))
        return found.first

    def home(self) -> None:
        """The room as one comes to it, on a page that was loaded anew: whatever was open, or on its way, is gone."""
        self.page.goto("about:blank")
        self.page.goto(f"/#/rooms/{self.room}")
        self.page.locator("[role=log][aria-busy=false]").wait_for()
        self.page.locator("article[data-message]").filter(has_text=MESSAGE).wait_for()

    def details(self, panel: str = "members") -> Locator:
        self.page.goto(f"/#/rooms/{self.room}/{panel}")
        pane: Locator = self.page.get_by_role("dialog", name=either("トークルームの詳細", "Details of the room"))
        pane.wait_for()
        return pane

    def menu(self, japanese: str = "", english: str = "") -> None:
        """What can be done with the message; with a name, that."""
        row = self.page.locator("article[data-message]").filter(has_text=MESSAGE)
        row.hover()
        row.get_by_role("button", name=re.compile("のメッセージの操作$|^Actions for ")).click()
        if english:
            self.page.get_by_role("menuitem", name=either(japanese, english)).click()


def fill(enter: Callable[[], Person], hand: Hand, colleague: str, name: str) -> House:
    """A room named `name` with one of everything; nothing of it in Japanese but people's names."""
    room = hand.room(name, colleague)
    for number in range(30):  # more than a screen
        hand.post(room, f"No. {number}")
    taken = photo(0, 320, 240)
    headers = {"Authorization": f"Bearer {hand.token}", "Content-Type": "image/jpeg"}
    put = hand.http.post("/api/photos", params={"name": "P1.jpg"}, content=taken["buffer"], headers=headers)
    blocks = [{"type": "text", "text": f"{MESSAGE} <@user:{colleague}>"}, {"type": "photos", "ids": [put.json()["id"]]}]
    sent = {"client_msg_id": f"dialogs-{room}", "blocks": blocks, "confirm": int(time.time() * 1000) + 3_600_000}
    hand.call("POST", f"/api/rooms/{room}/messages", sent)
    hand.call("POST", f"/api/rooms/{room}/notes", {"title": "N1", "blocks": [{"type": "markdown", "text": "ok"}]})
    person = enter()
    person.open(name)
    person.attach([{"name": "T1.txt", "mimeType": "text/plain", "buffer": b"ok"}])
    person.write("T1")
    person.said("T1").get_by_role("button", name="T1.txtを開く").wait_for()
    return House(person, room)


def _nothing(house: House) -> None:
    """The room itself."""


def _switcher(house: House) -> None:
    house.page.keyboard.press("Control+k")


def _new_room(house: House) -> None:
    house.button("トークルームを作る", "New room").click()


def _open_rooms(house: House) -> None:
    house.button("公開トークルームを探す", "Find open rooms").click()


def _settings(house: House) -> None:
    house.button("設定", "Settings", house.details()).click()


def _invite(house: House) -> None:
    house.button("招待する", "Invite", house.details()).click()


def _links(house: House) -> None:
    house.button("ファイルを受け取る", "Receive files", house.details()).click()
    house.button("新しく依頼する", "Ask somebody").click()


def _role(house: House) -> None:
    house.details().get_by_role("button", name=re.compile("の権限$|^What .* may do$")).first.click()


def _day(house: House) -> None:
    house.page.get_by_role("button", name=re.compile("日付へ移動$|Go to a day$")).click()


def _later(house: House) -> None:
    house.person.page.get_by_role("textbox", name=either("メッセージを入力", "Write a message")).fill("x")
    house.button("日時を指定", "Choose a time").click()


def _confirm(house: House) -> None:
    house.person.page.get_by_role("textbox", name=either("メッセージを入力", "Write a message")).fill("x")
    house.button("要確認にして送る", "Ask to confirm").click()


def _memos(house: House) -> None:
    house.button("メモから", "From memos").click()


def _bots(house: House) -> None:
    house.button("ボットに頼む", "Ask a bot").click()


def _menu(house: House) -> None:
    house.menu()


def _remove(house: House) -> None:
    house.menu("送信取消", "Cancel sending")


def _leave(house: House) -> None:
    house.button("退出する", "Leave", house.details()).click()


def _confirmations(house: House) -> None:
    house.page.get_by_role("button", name=re.compile("確認済み。一覧を開く$|^confirmed by .* Open the list$")).click()


def _file(house: House) -> None:
    house.button("T1.txtを開く", "Open T1.txt").click()


def _forward(house: House) -> None:
    house.menu("転送", "Forward")


def _into_note(house: House) -> None:
    house.menu("ノートに入れる", "Put into a note")
    house.button("ノートに入れる", "Put into a note").click()


def _note(house: House) -> None:
    house.button("新しいノート", "New note", house.details("notes")).click()


def _photo(house: House) -> None:
    house.page.locator("article[data-message]").filter(has_text=MESSAGE).locator("img.here").click()


def _camera(house: House) -> None:
    shot: Any = {**photo(1, 320, 240), "name": "P2.jpg"}
    house.page.locator("input[data-pick=camera]").set_input_files(shot)


def _person(house: House) -> None:
    house.page.locator("article[data-message]").filter(has_text=MESSAGE).locator(".mention").click()


def _readers(house: House) -> None:
    house.page.get_by_role(
        "button", name=re.compile("一覧を開く$|Open the list$|^既読を見る$|^Read by whom$")
    ).last.click()


def _account(house: House) -> None:
    house.button("自分のメニュー", "Your menu").click()


def _keys(house: House) -> None:
    house.page.locator("main h1").click()
    house.page.keyboard.press("?")


DIALOGS: Final[dict[str, Callable[[House], None]]] = {
    "room": _nothing, "switcher": _switcher, "new room": _new_room, "open rooms": _open_rooms, "room settings": _settings,
    "invite": _invite, "links": _links, "role": _role, "day": _day, "later": _later, "confirm": _confirm, "memos": _memos, "bots": _bots,
    "forward": _forward, "into a note": _into_note, "note": _note, "photo": _photo, "camera": _camera, "person": _person,
    "readers": _readers, "menu": _menu, "remove": _remove, "leave": _leave, "confirmations": _confirmations, "file": _file,
    "account": _account, "keys": _keys,
}  # fmt: skip
